import { uptime } from 'node:os';

/** A moment on the clocks that the lease may be measured by, both ms. */
export interface LeaseMoment {
  /** Does not count suspend. */
  readonly monotonicMs: number;
  /** Counts suspend (Linux: CLOCK_BOOTTIME). */
  readonly bootMs: number;
}

/** @param sameHost a suspend stops the coordinator too, so that one clock is enough */
export function leaseMoment(sameHost: boolean): LeaseMoment {
  const monotonicMs = performance.now();
  return { monotonicMs, bootMs: sameHost ? monotonicMs : uptime() * 1000 };
}

export interface LeaseTerm {
  /** From now on until everything must begin to end. Negative: over. */
  readonly ms: number;
  /** Between TERM and KILL then. */
  readonly graceMs: number;
}

const MOST_GRACE_MS = 3_000;

/**
 * What is left of a lease that was renewed by a message sent at `sentAt`. The coordinator counts from when it took the
 * message, which is later, so this side ends first; a tenth of the term is kept for what clocks and KILL need, and a tenth
 * (at most 3 s) for TERM.
 */
export function leaseTerm(leaseMs: number, sentAt: LeaseMoment, now: LeaseMoment): LeaseTerm {
  // A suspend between sending and being answered shows on one of the clocks only. Seconds of the boot clock are coarse, and it
  // may run a little apart, so it counts only when it says more.
  const elapsed = Math.max(now.monotonicMs - sentAt.monotonicMs, now.bootMs - sentAt.bootMs);
  const reserve = Math.min(leaseMs / 10, MOST_GRACE_MS);
  return { ms: Math.floor(leaseMs - 2 * reserve - elapsed), graceMs: Math.floor(reserve) };
}
