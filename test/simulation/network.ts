import type { Coordinator } from '../../src/coordinator/coordinator.ts';
import type { Caller } from '../../src/coordinator/use-cases.ts';
import { SpawnError } from '../../src/core/errors.ts';
import type { Chance } from './chance.ts';
import type { VirtualClock } from './virtual-clock.ts';

export const CALLER: Caller = { owner: '0', tenant: 'local', sameHost: true, role: 'admin' };

export interface Faults {
  /** Of a request, and apart from that of its reply. */
  loss: number;
  /** A request arrives again later. */
  double: number;
  /** Longest time on the way, ms; requests overtake each other. */
  delayMs: number;
  /** Of a batch: refused, or the coordinator dies before or after it was durable. */
  refuse: number;
  crash: number;
  /** Every so often a worker freezes, is killed, or loses its stream; each per second of virtual time. */
  freeze: number;
  kill: number;
  cut: number;
  /** A worker is cut off for 5 to 50 s, and goes on. */
  isolate: number;
  /** The coordinator's machine sleeps. */
  suspend: number;
}

export const NO_FAULTS: Faults = {
  loss: 0,
  double: 0,
  delayMs: 2,
  refuse: 0,
  crash: 0,
  freeze: 0,
  kill: 0,
  cut: 0,
  isolate: 0,
  suspend: 0,
};

/** One life of the coordinator. */
export interface Life {
  coordinator: Coordinator;
  alive: boolean;
  /** Calls that will never be answered by a dead one. */
  readonly pending: Set<(error: Error) => void>;
}

/** The only way from workers and clients to the coordinator. */
export class Network {
  faults: Faults = NO_FAULTS;
  life: Life | undefined;
  readonly #clock: VirtualClock;
  readonly #chance: Chance;

  constructor(clock: VirtualClock, chance: Chance) {
    this.#clock = clock;
    this.#chance = chance;
  }

  /** A request and its reply; rejects with SERVER_UNREACHABLE when either was lost, with the coordinator's error otherwise. */
  call<T>(what: (coordinator: Coordinator) => Promise<T>, isolated = () => false): Promise<T> {
    return new Promise((resolve, reject) => {
      const lost = () => this.#later(() => reject(new SpawnError('SERVER_UNREACHABLE', { address: 'simulation' })));
      if (isolated() || this.#chance.yes(this.faults.loss)) lost();
      else this.#later(() => this.#deliver(what, resolve, reject, lost));
      if (this.#chance.yes(this.faults.double)) {
        this.#later(() =>
          this.#deliver(
            what,
            () => {},
            () => {},
            () => {},
          ),
        );
      }
    });
  }

  later(task: () => void): void {
    this.#later(task);
  }

  #deliver<T>(
    what: (coordinator: Coordinator) => Promise<T>,
    resolve: (value: T) => void,
    reject: (error: Error) => void,
    lost: () => void,
  ): void {
    const { life } = this;
    if (life === undefined || !life.alive) {
      lost();
      return;
    }
    const dead = () => lost();
    life.pending.add(dead);
    const answer = (task: () => void) => {
      if (!life.pending.delete(dead)) return;
      if (this.#chance.yes(this.faults.loss)) lost();
      else this.#later(task);
    };
    what(life.coordinator).then(
      (value) => answer(() => resolve(value)),
      (error: Error) => answer(() => reject(error)),
    );
  }

  #later(task: () => void): void {
    this.#clock.timer(1 + this.#chance.below(this.faults.delayMs), task);
  }
}
