import { setTimeout as sleep } from 'node:timers/promises';
import { SpawnError } from '../../core/errors.ts';
import { type Action, toSpawnError, whyRetry } from './refusals.ts';

/** First wait before another try; it doubles with each, and a random part of it is waited, so that many do not come at once. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 3_000;

/** How long a server may be away before it is given up, counted from the last thing that it did. */
export class Patience {
  readonly #ms: number;
  #until: number;
  #tries = 0;

  constructor(ms: number) {
    this.#ms = ms;
    this.#until = performance.now() + ms;
  }

  /** The server did something: what it is away for is counted anew. */
  renew(): void {
    this.#until = performance.now() + this.#ms;
    this.#tries = 0;
  }

  /**
   * Waits before the next try.
   * @throws SpawnError what has failed, when another try would not help or the time is over
   */
  async again(error: unknown, action: Action, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    this.#tries++;
    const why = whyRetry(error);
    if (why === undefined) throw toSpawnError(error, action);
    const waitMs = Math.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(this.#tries, 20));
    if (performance.now() + waitMs > this.#until) {
      throw new SpawnError('STORAGE_UNREACHABLE', { ...action, why, tries: this.#tries });
    }
    await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
  }
}

/** Does something until it works. Errors: as `Patience.again`; the reason of the signal when that is aborted. */
export async function withRetries<T>(
  work: () => Promise<T>,
  action: Action,
  patienceMs: number,
  signal: AbortSignal | undefined,
): Promise<T> {
  const patience = new Patience(patienceMs);
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      await patience.again(error, action, signal);
    }
  }
}
