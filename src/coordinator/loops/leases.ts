import type { Ledger } from '../ledger.ts';
import type { Sessions } from '../sessions.ts';

/** A gap this large between the clock that counts suspend and the one that does not means that this machine slept. */
const SUSPEND_MS = 1_000;

/** Ends sessions that have not renewed. When this machine itself slept, everybody gets a full term first, as after a restart. */
export class LeaseLoop {
  readonly #ledger: Ledger;
  readonly #sessions: Sessions;
  #asleepMs: number;

  constructor(ledger: Ledger, sessions: Sessions) {
    this.#ledger = ledger;
    this.#sessions = sessions;
    this.#asleepMs = this.#slept();
  }

  async runOnce(): Promise<void> {
    const { clock } = this.#ledger.ports;
    const slept = this.#slept();
    const woke = slept - this.#asleepMs > SUSPEND_MS;
    this.#asleepMs = slept;
    if (woke || !this.#ledger.writable) {
      this.#renewAll();
      return;
    }
    for (const id of [...this.#ledger.memory.sessions.keys()]) {
      // Looked at one by one: while one is lost, another may renew.
      const entry = this.#ledger.memory.sessions.get(id);
      if (entry !== undefined && entry.session.leaseUntil < clock.lease()) {
        await this.#sessions.lose(id, 'its lease expired');
      }
    }
  }

  #renewAll(): void {
    const until = this.#ledger.ports.clock.lease() + this.#ledger.leaseMs;
    for (const { session } of this.#ledger.memory.sessions.values())
      session.leaseUntil = Math.max(session.leaseUntil, until);
  }

  #slept(): number {
    const { clock } = this.#ledger.ports;
    return clock.lease() - clock.steady();
  }
}
