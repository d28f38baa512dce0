import type { HelloReply } from '../api/session.ts';
import type { Forker } from './forker/types.ts';
import { type LeaseMoment, leaseMoment, leaseTerm } from './lease.ts';

/** How long the grants of a session are valid: from when its last exchange that was answered was sent. */
export class SessionLease {
  readonly #sameHost: boolean;
  readonly #isForever: boolean;
  #ms: number;
  #sentAt: LeaseMoment;
  /** On the monotonic clock: nothing starts after this. */
  #endsMs = Number.NEGATIVE_INFINITY;

  /** @param isForever of a bound instance: it is over only when its machine is gone */
  constructor({ sameHost, leaseMs }: HelloReply, helloSentAt: LeaseMoment, isForever: boolean) {
    this.#sameHost = sameHost;
    this.#isForever = isForever;
    this.#ms = leaseMs;
    this.#sentAt = helloSentAt;
  }

  /** The whole term; after it without an answer the server has given up what would be reported. */
  get termMs(): number {
    return this.#isForever ? Number.POSITIVE_INFINITY : this.#ms;
  }

  get isValid(): boolean {
    return this.#isForever || performance.now() < this.#endsMs;
  }

  renewed(ms: number, sentAt: LeaseMoment): void {
    this.#ms = ms;
    this.#sentAt = sentAt;
  }

  /** The forkers enforce it, also when this process hangs. */
  pass(...forkers: (Pick<Forker, 'lease'> | undefined)[]): void {
    if (this.#isForever) return;
    const { ms, graceMs } = leaseTerm(this.#ms, this.#sentAt, leaseMoment(this.#sameHost));
    this.#endsMs = performance.now() + ms;
    for (const forker of forkers) forker?.lease(Math.max(0, ms), graceMs, this.#sameHost ? 'monotonic' : 'boottime');
  }
}
