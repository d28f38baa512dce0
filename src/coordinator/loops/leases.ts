import { breakLateGangs, hasLateGang, postponeGangs } from '../gang.ts';
import type { Ledger } from '../ledger.ts';
import type { SessionEntry } from '../memory.ts';
import type { Sessions } from '../sessions.ts';
import { isValid } from '../tokens.ts';

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
    const slept = this.#slept();
    const woke = slept - this.#asleepMs > SUSPEND_MS;
    this.#asleepMs = slept;
    if (woke || !this.#ledger.writable) {
      this.#renewAll();
      return;
    }
    await this.#breakLateGangs();
    for (const id of [...this.#ledger.memory.sessions.keys()]) {
      // Looked at one by one: while one is lost, another may renew.
      const entry = this.#ledger.memory.sessions.get(id);
      const why = entry === undefined ? undefined : this.#whyOver(entry);
      if (why !== undefined) await this.#sessions.lose(id, why);
    }
  }

  /**
   * The lease of an instance does not end: only its provider knows when nothing of it can run, and a laptop that slept kills no cluster. But
   * nobody can speak for it whose token is valid no more.
   */
  #whyOver({ session, bound, token }: SessionEntry): string | undefined {
    const { clock } = this.#ledger.ports;
    if (bound === undefined) return session.leaseUntil < clock.lease() ? 'its lease expired' : undefined;
    const { tokens, instances } = this.#ledger.memory;
    // It ended before its session was: nothing of it is left that could say goodbye.
    if (!session.connected && instances.rows.get(bound.instance)?.endedAt !== 0) return 'its instance has ended';
    const opener = tokens.get(token);
    const isOver = token !== 0 && (opener === undefined || !isValid(opener, clock.now()));
    return isOver ? 'its token is not valid any more' : undefined;
  }

  async #breakLateGangs(): Promise<void> {
    const steady = this.#ledger.ports.clock.steady();
    if (hasLateGang(this.#ledger.memory, steady)) await this.#ledger.write((world) => breakLateGangs(world, steady));
  }

  #renewAll(): void {
    postponeGangs(this.#ledger.memory, this.#ledger.ports.clock.steady());
    const until = this.#ledger.ports.clock.lease() + this.#ledger.leaseMs;
    for (const { session } of this.#ledger.memory.sessions.values())
      session.leaseUntil = Math.max(session.leaseUntil, until);
  }

  #slept(): number {
    const { clock } = this.#ledger.ports;
    return clock.lease() - clock.steady();
  }
}
