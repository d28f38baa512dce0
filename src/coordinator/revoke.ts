import { type GrantRange, GrantStatus } from '../core/grant-range.ts';
import type { Job } from '../core/job.ts';
import type { WorkerSession } from '../core/worker-session.ts';
import type { Books } from './books.ts';

/** Asks for up to `wanted` unstarted grants of these ranges back, those granted last first. They stay leased until the worker answers. */
export function revokeUnstarted(
  books: Books,
  session: WorkerSession,
  ranges: readonly GrantRange[],
  wanted: number,
): void {
  let left = wanted;
  const { revoke } = books.memory.changes.tell(session.id);
  for (let at = ranges.length - 1; at >= 0 && left > 0; at--) {
    const range = ranges[at]!;
    if (range.revoking || range.leased === 0) continue;
    left -= range.leased;
    range.revoking = true;
    for (let from = 0; from < range.count; from++) {
      if (range.status[from] !== GrantStatus.leased) continue;
      const length = runLength(range.status, from);
      revoke.push([range.fence + from, length]);
      from += length;
    }
  }
}

/** Takes back what has not started of a job everywhere: it is held, or its throttle was lowered. */
export function revokeEverywhere(books: Books, job: Job, wanted: number): void {
  let left = wanted;
  for (const { session } of books.memory.sessions.values()) {
    if (left <= 0) return;
    const ranges = [...job.grants].filter((range) => range.sessionId === session.id);
    const unstarted = ranges.reduce((sum, range) => sum + range.leased, 0);
    revokeUnstarted(books, session, ranges, Math.min(left, unstarted));
    left -= unstarted;
  }
}

/** How many equal entries follow, the one at `from` included. */
export function runLength(column: Uint8Array, from: number): number {
  let next = from + 1;
  while (next < column.length && column[next] === column[from]) next++;
  return next - from;
}
