import type { Ledger } from '../ledger.ts';

/** While the store is full: tries a small commit, and opens the door again when it succeeds. */
export class ProbeLoop {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  async runOnce(): Promise<void> {
    if (this.#ledger.writable) return;
    const { store, clock } = this.#ledger.ports;
    const none = {
      newJobs: [],
      jobs: [],
      pages: [],
      grants: [],
      closedGrants: [],
      ends: [],
      sessions: [],
      tokens: [],
      droppedTokens: [],
      dependencies: [],
      keys: [],
    };
    await this.#ledger.idle();
    await store.commit({ ...none, events: [{ at: clock.now(), jobId: 0, kind: 'storeWritable', detail: '{}' }] });
    this.#ledger.reopen();
  }
}
