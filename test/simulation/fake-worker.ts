import type { ExchangeRequest, StreamMessage } from '../../src/api/session.ts';
import { isSpawnError } from '../../src/core/errors.ts';
import type { Chance } from './chance.ts';
import { FakeHoldings, type Held, helloOf } from './fake-holdings.ts';
import { openStream } from './fake-stream.ts';
import { CALLER, type Network } from './network.ts';
import type { VirtualClock } from './virtual-clock.ts';
import type { WorkerWatch } from './worker-watch.ts';

const CANCELLED = 4 * 256;
const LOST = 6 * 256;
/** The watchdog acts this long before the lease ends. */
const MARGIN_MS = 500;

/** A spored without processes: the same protocol, the same rules for its lease, and any fault one can think of. */
export class FakeWorker {
  readonly name: string;
  readonly cpus: number;
  private readonly clock: VirtualClock;
  private readonly chance: Chance;
  private readonly network: Network;
  private readonly watch: WorkerWatch;
  sessionId = 0;
  frozen = false;
  /** Nothing gets through, either way, until then (virtual time). */
  isolatedUntil = 0;
  dead = false;
  /** Bumped when all it knew is forgotten: callbacks of before do nothing. */
  #life = 0;
  #seq = 0;
  #ack = 0;
  #deadline = Number.POSITIVE_INFINITY;
  #leaseMs = 0;
  #detach: (() => void) | undefined;
  #streaming = false;
  #resync = false;
  #inFlight = false;
  readonly #holdings = new FakeHoldings();
  readonly #thawed: (() => void)[] = [];

  constructor(name: string, cpus: number, clock: VirtualClock, chance: Chance, network: Network, watch: WorkerWatch) {
    this.name = name;
    this.cpus = cpus;
    this.clock = clock;
    this.chance = chance;
    this.network = network;
    this.watch = watch;
  }

  start(): void {
    this.dead = false;
    const life = ++this.#life;
    this.network
      .call((coordinator) => coordinator.hello(CALLER, helloOf(this.name, this.cpus)))
      .then(
        ({ sessionId, leaseMs }) =>
          this.#when(life, () => {
            this.sessionId = sessionId;
            this.#leaseMs = leaseMs;
            this.#seq = 0;
            this.#ack = 0;
            this.#renew(this.clock.elapsed + this.clock.suspended);
            this.#connect(life);
            this.#heartbeat(life);
          }),
        () => this.#after(life, 200, () => this.start()),
      );
  }

  /** The process is gone with all its tasks. */
  kill(): void {
    this.dead = true;
    this.cut();
    this.#forget();
  }

  freeze(): void {
    this.frozen = true;
  }

  thaw(): void {
    if (!this.frozen) return;
    this.frozen = false;
    this.#watchdog();
    for (const task of this.#thawed.splice(0)) task();
  }

  /** The stream breaks; the worker comes back with the number of its last message. */
  cut(): void {
    this.#detach?.();
    this.#detach = undefined;
    if (!this.#streaming) return;
    this.#streaming = false;
    const life = this.#life;
    this.#after(life, 50 + this.chance.below(300), () => this.#connect(life));
  }

  isolate(ms: number): void {
    this.isolatedUntil = this.clock.elapsed + ms;
    this.cut();
  }

  #connect(life: number): void {
    const { life: server } = this.network;
    if (
      server === undefined ||
      !server.alive ||
      this.clock.elapsed < this.isolatedUntil ||
      this.chance.yes(this.network.faults.loss)
    ) {
      this.#after(life, 100 + this.chance.below(200), () => this.#connect(life));
      return;
    }
    try {
      this.#detach = openStream(server, this.clock, this.chance, this.network.faults.delayMs, {
        sessionId: this.sessionId,
        after: this.#ack,
        arrived: (line) => this.#when(life, () => this.#receive(JSON.parse(line) as StreamMessage)),
        broken: () => this.#when(life, () => this.cut()),
      });
      this.#streaming = true;
      this.#resync = true;
      this.#report(life);
    } catch (error) {
      if (isSpawnError(error) && (error as { code: string }).code === 'SESSION_UNKNOWN') this.#reborn();
      else throw error;
    }
  }

  #receive(message: StreamMessage): void {
    if (message.type === 'ping' || message.n <= this.#ack) return;
    this.#ack = message.n;
    const holdings = this.#holdings;
    switch (message.type) {
      case 'grant':
        for (const held of holdings.grantsOf(message)) this.#take(held);
        this.#startSome();
        break;
      case 'revoke':
        for (const held of holdings.named(message.fences)) if (!held.started) holdings.giveBack(held.fence);
        break;
      case 'cancel':
        for (const held of holdings.named(message.fences)) {
          if (held.started) this.#end(held.fence, CANCELLED);
          else holdings.giveBack(held.fence);
        }
        break;
      case 'drop':
        for (const { fence } of holdings.named(message.fences)) this.#stop(fence);
        this.#startSome();
        break;
      case 'suspend':
        for (const held of holdings.named(message.fences)) if (held.started) held.suspended = true;
        break;
      case 'resume':
        holdings.resume(message.fences);
        break;
      case 'member':
        holdings.members.admit(message, !this.chance.yes(this.network.faults.loss));
        break;
      case 'memberEnd':
        holdings.members.end(message.fences);
        this.#startSome();
        break;
      case 'job':
        holdings.cpusOf.set(message.job.id, message.job.cpus);
        break;
    }
    this.#report(this.#life);
  }

  #take(held: Held): void {
    if (this.#holdings.take(held)) this.watch.granted(held.jobId, held.position, held.attempt);
  }

  #startSome(): void {
    const life = this.#life;
    for (const held of this.#holdings.held.values()) {
      if (held.started) continue;
      if (this.#holdings.running >= this.cpus || !this.#holdings.hasRoom(held, this.cpus)) return;
      this.#holdings.start(held);
      this.watch.began(this, held);
      const script = this.watch.script(held.jobId, held.position);
      this.#after(life, script.durationMs, () => {
        const act = () => {
          if (!this.#holdings.held.has(held.fence)) return;
          if (script.killsWorker) {
            this.kill();
            this.clock.timer(500, () => this.start());
          } else {
            this.#holdings.plan(held.fence, script);
            this.#end(held.fence, script.outcome);
          }
        };
        if (held.suspended === true) held.due = act;
        else act();
      });
    }
  }

  #end(fence: number, outcome: number): void {
    this.#stop(fence);
    this.#holdings.end(fence, outcome);
    this.#startSome();
    this.#report(this.#life);
  }

  #stop(fence: number): void {
    if (this.#holdings.held.get(fence)?.started === true) this.watch.over(this, fence);
    this.#holdings.forget(fence);
  }

  /** One exchange at a time; what was sent stays the same until it is answered. */
  #report(life: number): void {
    if (this.#inFlight || this.sessionId === 0) return;
    this.#inFlight = true;
    const request = this.#holdings.report(++this.#seq, this.#ack, this.#resync);
    this.#resync = false;
    this.#send(life, request);
  }

  #send(life: number, request: ExchangeRequest): void {
    const sentAt = this.clock.elapsed + this.clock.suspended;
    const { sessionId } = this;
    const again = () => this.#after(life, 100, () => this.#send(life, request));
    this.network
      .call(
        (coordinator) => coordinator.exchange(CALLER, sessionId, request),
        () => this.clock.elapsed < this.isolatedUntil,
      )
      .then(
        (reply) =>
          this.#when(life, () => {
            this.#renew(sentAt);
            if (reply.deferred) {
              again();
              return;
            }
            this.#inFlight = false;
            if (reply.resync) this.#resync = true;
            if (reply.resync || this.#holdings.unreported > 0) this.#report(life);
          }),
        (error: { code?: string }) =>
          this.#when(life, () => {
            if (error.code === 'SESSION_UNKNOWN') this.#reborn();
            else again();
          }),
      );
  }

  #heartbeat(life: number): void {
    this.#after(life, 5_000, () => {
      this.#report(life);
      this.#heartbeat(life);
    });
  }

  #renew(sentAt: number): void {
    this.#deadline = sentAt + this.#leaseMs - MARGIN_MS;
    const life = this.#life;
    this.#after(life, Math.max(0, this.#deadline - this.clock.elapsed - this.clock.suspended), () => this.#watchdog());
  }

  /** Stops everything when the lease is about to end, whatever else is going on. */
  #watchdog(): void {
    if (this.dead || this.clock.elapsed + this.clock.suspended < this.#deadline) return;
    for (const { fence, started } of [...this.#holdings.held.values()]) {
      this.#stop(fence);
      if (started) this.#holdings.end(fence, LOST);
      else this.#holdings.giveBack(fence);
    }
  }

  #reborn(): void {
    this.cut();
    this.#forget();
    this.start();
  }

  #forget(): void {
    for (const fence of [...this.#holdings.held.keys()]) this.#stop(fence);
    this.#holdings.clear();
    this.#life++;
    this.sessionId = 0;
    this.#inFlight = false;
    this.#streaming = false;
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  /** A frozen worker does it when it thaws. */
  #when(life: number, task: () => void): void {
    if (life !== this.#life || this.dead) return;
    if (this.frozen) this.#thawed.push(() => this.#when(life, task));
    else task();
  }

  #after(life: number, ms: number, task: () => void): void {
    this.clock.timer(ms, () => this.#when(life, task));
  }
}
