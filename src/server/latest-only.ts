/**
 * Passes on the newest of many values: the first at once, then at most one each `everyMs`, and nothing while the reader is
 * behind. The last value is never lost and never late.
 */
export class LatestOnly<T> {
  readonly #everyMs: number;
  readonly #isBehind: () => boolean;
  readonly #send: (value: T) => void;
  #timer: NodeJS.Timeout | undefined;
  #next: { value: T } | undefined;

  constructor(everyMs: number, isBehind: () => boolean, send: (value: T) => void) {
    this.#everyMs = everyMs;
    this.#isBehind = isBehind;
    this.#send = send;
  }

  offer(value: T): void {
    this.#next = { value };
    if (this.#timer === undefined) this.#pass();
  }

  /** Passes `value` on now: nothing follows. */
  last(value: T): void {
    this.stop();
    this.#send(value);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#next = undefined;
  }

  #pass(): void {
    this.#timer = undefined;
    if (this.#next === undefined) return;
    if (!this.#isBehind()) {
      const { value } = this.#next;
      this.#next = undefined;
      this.#send(value);
    }
    this.#timer = setTimeout(() => this.#pass(), this.#everyMs);
  }
}
