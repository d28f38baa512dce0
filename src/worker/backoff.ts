import { setTimeout as sleep } from 'node:timers/promises';

export interface BackoffOptions {
  readonly firstMs: number;
  readonly mostMs: number;
  /** 0 … 1. Default Math.random. */
  readonly random?: () => number;
}

/** Growing pauses between tries. Each is drawn between a half and the whole of its length, so that many workers do not come back at once. */
export class Backoff {
  readonly #options: BackoffOptions;
  #tries = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** The next pause, ms. */
  next(): number {
    const { firstMs, mostMs, random = Math.random } = this.#options;
    const length = Math.min(mostMs, firstMs * 2 ** Math.min(this.#tries++, 30));
    return length * (0.5 + random() / 2);
  }

  reset(): void {
    this.#tries = 0;
  }

  /** Waits for the next pause; ends early, without an error, when `signal` aborts. */
  async pause(signal: AbortSignal): Promise<void> {
    await sleep(this.next(), undefined, { signal }).catch(() => {});
  }
}
