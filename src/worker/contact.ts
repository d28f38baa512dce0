export interface ContactOptions {
  /** The server can be away this long; 0 = for ever. */
  readonly exitWhenGoneMs: number;
  /** One line for a person, without its end. */
  readonly log: (line: string) => void;
}

/** Whether the server answers; says so once when that changes. */
export class Contact {
  readonly #options: ContactOptions;
  #lastMs = performance.now();
  #isTroubled = false;

  constructor(options: ContactOptions) {
    this.#options = options;
  }

  /** The last try failed. */
  get isTroubled(): boolean {
    return this.#isTroubled;
  }

  answered(): void {
    if (this.#isTroubled) this.#options.log('the server answers again');
    this.#isTroubled = false;
    this.#lastMs = performance.now();
  }

  /** True when it was away for too long. @param leastMs but never before this */
  failed(error: unknown, leastMs: number): boolean {
    const { exitWhenGoneMs, log } = this.#options;
    if (!this.#isTroubled) log(`${error instanceof Error ? error.message : error}; trying again`);
    this.#isTroubled = true;
    return exitWhenGoneMs > 0 && performance.now() - this.#lastMs > Math.max(exitWhenGoneMs, leastMs);
  }
}
