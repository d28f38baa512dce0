import type { Directive } from '../../api/instance-session.ts';

/** A deadline that was moved by less has the same meaning: what was on its way for so long is told so much later. */
const MOVED_MS = 1_000;

/**
 * Whether a directive says more than that there are other members than before: a thousand may hear of that at once, and it is no matter of their
 * own. One that says nothing new was sent again on purpose.
 *
 * @param last the one before
 * @param ttlLeftMs what is left by the agent's own account
 */
export function saysMore(last: Directive, next: Directive, ttlLeftMs: number | undefined): boolean {
  if (next.version === last.version) return false;
  const isMoved =
    next.ttlLeftMs === undefined || ttlLeftMs === undefined
      ? next.ttlLeftMs !== ttlLeftMs
      : Math.abs(next.ttlLeftMs - ttlLeftMs) > MOVED_MS;
  return next.peers === last.peers || isMoved || restOf(next) !== restOf(last);
}

function restOf({ version: _, peers: __, ttlLeftMs: ___, ...rest }: Directive): string {
  return JSON.stringify(rest);
}
