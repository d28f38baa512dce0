import { lastsMs } from './instance-cost.ts';

/** Of a share no more than this part is put by for the end: what may run for seconds only must not end before it has begun. */
const END_PART = 0.25;
/** An end takes a moment even where nothing is left to pay for it: one billing tick. */
const LEAST_END_MS = 1_000;

/** How much of the time that a share pays for is put by, so that its instance has ended when the share is used up, ms. */
export function putByMs(shareMs: number, endMs: number): number {
  return Math.min(endMs, Math.max(0, shareMs) * END_PART);
}

/**
 * For how long an instance that ends now may go on to be charged, ms: until its share is used up. Its pre-stop command and the time from TERM to KILL
 * are cut to that. Infinity when nothing limits what it costs.
 */
export function mayEndForMs(share: number | undefined, rate: number, ranMs: number): number {
  return share === undefined ? Number.POSITIVE_INFINITY : Math.max(LEAST_END_MS, lastsMs(share, rate) - ranMs);
}
