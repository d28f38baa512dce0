/** setTimeout fires at once for anything longer. */
const LONGEST_MS = 2 ** 31 - 1;

/** One timer for any duration; setting it again replaces it. Time on the clock that does not count suspend. */
export class Deadline {
  readonly #onDue: () => void;
  #timer: NodeJS.Timeout | undefined;
  #at = Number.POSITIVE_INFINITY;
  #fired = false;

  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  /** On the clock of `performance.now()`; Infinity when not set. */
  get at(): number {
    return this.#at;
  }

  /** False once it has fired. */
  get isSet(): boolean {
    return this.#at !== Number.POSITIVE_INFINITY && !this.#fired;
  }

  /** From its time on, whether it has fired yet or not. */
  get isDue(): boolean {
    return performance.now() >= this.#at;
  }

  set(ms: number): void {
    this.#at = performance.now() + ms;
    this.#fired = false;
    this.#arm();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#at = Number.POSITIVE_INFINITY;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const left = this.#at - performance.now();
    this.#timer = setTimeout(
      () => {
        if (performance.now() < this.#at) {
          this.#arm();
          return;
        }
        this.#fired = true;
        this.#onDue();
      },
      Math.min(Math.max(0, Math.ceil(left)), LONGEST_MS),
    );
  }
}
