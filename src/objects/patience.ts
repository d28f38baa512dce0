import { setTimeout as sleep } from 'node:timers/promises';
import { SpawnError } from '../core/errors.ts';

/** First wait before another try; it doubles with each, and a random part of it is waited, so that many do not come at once. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 3_000;

/** What was tried, for errors. */
export interface Action {
  readonly uri: string;
  /** After "cannot": `read`, `write`. */
  readonly doing: string;
}

/** What an error means. */
export interface Judge {
  /** Why another try may help, or undefined when it would not. */
  readonly whyRetry: (error: unknown) => string | undefined;
  /** What is thrown when it would not. */
  readonly toThrow: (error: unknown, action: Action) => unknown;
}

/** How long a server may be away before it is given up, counted from the last thing that it did. */
export class Patience {
  readonly #ms: number;
  readonly #judge: Judge;
  #until: number;
  #tries = 0;

  constructor(ms: number, judge: Judge) {
    this.#ms = ms;
    this.#judge = judge;
    this.#until = performance.now() + ms;
  }

  /** The server did something: what it is away for is counted anew. */
  renew(): void {
    this.#until = performance.now() + this.#ms;
    this.#tries = 0;
  }

  /**
   * Waits before the next try.
   * @throws what has failed, when another try would not help, or SpawnError STORAGE_UNREACHABLE when the time is over
   */
  async again(error: unknown, action: Action, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    this.#tries++;
    const why = this.#judge.whyRetry(error);
    if (why === undefined) throw this.#judge.toThrow(error, action);
    const waitMs = Math.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(this.#tries, 20));
    if (performance.now() + waitMs > this.#until) {
      throw new SpawnError('STORAGE_UNREACHABLE', { ...action, why, tries: this.#tries });
    }
    await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
  }
}

/** Does something until it works. Errors: as `Patience.again`; the reason of the signal when that is aborted. */
export async function untilDone<T>(
  work: () => Promise<T>,
  patience: Patience,
  action: Action,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      await patience.again(error, action, signal);
    }
  }
}
