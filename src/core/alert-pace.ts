const FIRST_DELAY_MS = 5_000;
const MAX_DELAY_MS = 3_600_000;
const HOUR_MS = 3_600_000;

/** Most times that a message is tried: over about six hours. */
export const MAX_ATTEMPTS = 15;

/**
 * Until a message is tried again, ms; undefined: it is given up. Doubles each time, up to an hour, and is made up to a fifth shorter or longer.
 *
 * @param attempts that failed
 * @param chance 0 ≤ x < 1
 * @param askedMs what the receiver asked for
 */
export function nextTryMs(attempts: number, chance: number, askedMs = 0): number | undefined {
  if (attempts >= MAX_ATTEMPTS) return undefined;
  const delay = Math.min(FIRST_DELAY_MS * 2 ** (attempts - 1), MAX_DELAY_MS) * (0.8 + 0.4 * chance);
  return Math.round(Math.max(delay, Math.min(askedMs, MAX_DELAY_MS)));
}

/** How many messages a rule may send: some at once, and as many again in each hour. */
export class Allowance {
  readonly #perHour: number;
  #left: number;
  #at: number;

  constructor(perHour: number, now: number) {
    this.#perHour = perHour;
    this.#left = perHour;
    this.#at = now;
  }

  /** Takes one; gives how long the message must wait, ms. */
  take(now: number): number {
    this.#refill(now);
    this.#left -= 1;
    return this.#left >= 0 ? 0 : Math.ceil((-this.#left * HOUR_MS) / this.#perHour);
  }

  #refill(now: number): void {
    const gained = (Math.max(0, now - this.#at) * this.#perHour) / HOUR_MS;
    this.#left = Math.min(this.#perHour, this.#left + gained);
    this.#at = now;
  }
}
