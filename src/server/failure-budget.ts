/** Addresses that are remembered; when there are more, the one that failed first is forgotten. */
const MAX_ADDRESSES = 10_000;

export interface BudgetOptions {
  /** Failures that are answered as such within `windowMs`. */
  failures: number;
  windowMs: number;
  /** ms on a clock that nobody sets. */
  now(): number;
}

interface Window {
  since: number;
  failures: number;
}

/**
 * Counts failures by network address. It slows who tries tokens and keeps the log short; that a token cannot be guessed is
 * the work of its 256 random bits. So a valid token is never refused for what others behind the same address do.
 */
export class FailureBudget {
  readonly #options: BudgetOptions;
  readonly #windows = new Map<string, Window>();

  constructor(options: BudgetOptions) {
    this.#options = options;
  }

  /** Counts one failure. `count` is that of the current window, `waitMs` how long it lasts once the budget is used up, else 0. */
  fail(address: string): { count: number; waitMs: number } {
    const { failures, windowMs, now } = this.#options;
    const key = networkOf(address);
    const at = now();
    let window = this.#windows.get(key);
    if (window === undefined || at - window.since >= windowMs) {
      this.#windows.delete(key);
      window = { since: at, failures: 0 };
      this.#windows.set(key, window);
      if (this.#windows.size > MAX_ADDRESSES) this.#windows.delete(this.#windows.keys().next().value!);
    }
    window.failures++;
    return { count: window.failures, waitMs: window.failures > failures ? window.since + windowMs - at : 0 };
  }

  get size(): number {
    return this.#windows.size;
  }
}

/** An IPv4 address, also one in IPv6 clothes; of IPv6 the /64, since one machine has all of it. */
function networkOf(address: string): string {
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (v4 !== undefined || !address.includes(':')) return v4 ?? address;
  const [head = '', tail = ''] = (address.split('%')[0] ?? '').split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === '' ? [] : tail.split(':');
  const zeros = address.includes('::') ? Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0') : [];
  return [...front, ...zeros, ...back].slice(0, 4).join(':');
}
