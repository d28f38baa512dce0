/** What the moment of the next exchange depends on. Times on the worker's monotonic clock, ms. */
export interface FlushState {
  readonly lastSentMs: number;
  readonly heartbeatMs: number;
  /** Something must not wait: grants are given back, a resync was asked for. */
  readonly urgent: boolean;
  readonly hasEnds: boolean;
  readonly oldestStartMs: number | undefined;
  /** When progress may be told; undefined: there is none. */
  readonly progressAtMs?: number | undefined;
  /** A task could run and none is queued: the coordinator does not know yet that it may send more. */
  readonly hungry: boolean;
}

/**
 * Ends within this time share an exchange: each costs the coordinator one durable commit, and at 2,000 tasks a second one a
 * task would take more of the machine than the tasks.
 */
const BATCH_MS = 10;

/** Starts wait longer, because most ends of short tasks come meanwhile and say the same. */
const START_MS = 25;

/** When the next exchange shall be sent; now or earlier means at once. */
export function nextExchangeAt(state: FlushState): number {
  if (state.urgent || (state.hungry && state.hasEnds)) return Number.NEGATIVE_INFINITY;
  let at = state.lastSentMs + state.heartbeatMs;
  if (state.hasEnds) at = Math.min(at, state.lastSentMs + BATCH_MS);
  if (state.oldestStartMs !== undefined)
    at = Math.min(at, Math.max(state.lastSentMs + BATCH_MS, state.oldestStartMs + START_MS));
  if (state.progressAtMs !== undefined) at = Math.min(at, Math.max(state.lastSentMs + BATCH_MS, state.progressAtMs));
  return at;
}
