import { GrantStatus } from '../core/grant-range.ts';
import type { Job } from '../core/job.ts';
import type { WorkerSession } from '../core/worker-session.ts';
import type { Books } from './books.ts';
import { addFence, eachIn, type Runs } from './cancel.ts';

/**
 * Tells the workers that hold any of the named tasks their new time limit, counted from the start; 0 = none. A worker of API 1 would
 * not understand it: its attempts keep the limit they began with. Gives how many tasks were told of.
 */
export function changeLimit(books: Books, job: Job, runs: Runs, timeLimitMs: number): number {
  let told = 0;
  for (const range of job.grants) {
    const { session } = books.memory.sessions.get(range.sessionId)!;
    for (const at of eachIn(range, runs)) {
      if (range.status[at] === GrantStatus.closed) continue;
      if (tellLimit(books, session, range.fence + at, timeLimitMs)) told++;
    }
  }
  return told;
}

/** False when the worker would not understand it. */
export function tellLimit(books: Books, session: WorkerSession, fence: number, timeLimitMs: number): boolean {
  if (session.api < 2) return false;
  const { limit } = books.memory.changes.tell(session.id);
  let same = limit.find((other) => other.timeLimitMs === timeLimitMs);
  if (same === undefined) {
    same = { timeLimitMs, fences: [] };
    limit.push(same);
  }
  addFence(same.fences, fence);
  return true;
}
