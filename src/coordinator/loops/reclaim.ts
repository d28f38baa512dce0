import type { Ledger } from '../ledger.ts';

/** Work granted ahead that has not started after this long sits behind a task that takes longer than its like, ms. */
const STUCK_MS = 500;

/** Takes work ahead back from sessions where nothing of the job has ended for a while, so that idle slots elsewhere can have it. */
export class ReclaimLoop {
  readonly #ledger: Ledger;
  /** Open grants of each share when it last shrank, and when that was (steady clock). */
  readonly #seen = new Map<string, { open: number; since: number }>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  runOnce(): void {
    const { memory, world } = { memory: this.#ledger.memory, world: this.#ledger.world };
    const now = this.#ledger.ports.clock.steady();
    const present = new Set<string>();
    let asked = false;
    for (const session of memory.pool) {
      for (const share of session.shares.values()) {
        if (share.open <= share.slots) continue;
        const key = `${session.id}/${share.lane.job.id}/${share.lane.number}`;
        present.add(key);
        const seen = this.#seen.get(key);
        if (seen === undefined || seen.open !== share.open) this.#seen.set(key, { open: share.open, since: now });
        else if (now - seen.since >= STUCK_MS && memory.pool.size > 1) {
          world.revokeAhead(session, share.lane);
          asked = true;
        }
      }
    }
    for (const key of this.#seen.keys()) if (!present.has(key)) this.#seen.delete(key);
    if (asked) this.#ledger.poke();
  }
}
