import { type GrantRange, GrantStatus } from '../core/grant-range.ts';
import type { Job } from '../core/job.ts';
import type { Lane } from '../core/lane.ts';
import type { WorkerSession } from '../core/worker-session.ts';
import type { Books } from './books.ts';
import { breakGangsOf } from './gang.ts';
import { endAttempt, giveBack, LOST } from './reports.ts';

/**
 * The session is over: what ran there is lost, what waited there behind others is ready again. A grant that had a slot may have started
 * without the report reaching us, and may be what ended the worker: it counts as a lost attempt too, so that the crash limit holds.
 */
export function loseGrants(books: Books, session: WorkerSession): void {
  const maybeStarted = new Map([...session.shares].map(([lane, { slots }]) => [lane, slots]));
  for (const range of session.grants) {
    if (range.running === 0) continue;
    const lane = laneOf(books, range);
    maybeStarted.set(lane, maybeStarted.get(lane)! - range.running);
  }
  for (const range of [...session.grants]) {
    if (range.open === 0) continue;
    const { job } = books.memory.jobs.get(range.jobId)!;
    for (let at = 0; at < range.count; at++) {
      if (range.status[at] === GrantStatus.closed) continue;
      const lane = job.lanes[range.lane]!;
      const slots = maybeStarted.get(lane)!;
      const lost = range.status[at] === GrantStatus.running || slots > 0;
      if (range.status[at] === GrantStatus.leased) maybeStarted.set(lane, slots - 1);
      if (lost) loseAttempt(books, session, job, range, at);
      else giveBack(books, session, job, range, at);
    }
  }
  breakGangsOf(books, session);
}

function laneOf(books: Books, range: GrantRange): Lane {
  return books.memory.jobs.get(range.jobId)!.job.lanes[range.lane]!;
}

/** An attempt that had started, or may have, is over without a word; its log begins where it was said to. */
export function loseAttempt(books: Books, session: WorkerSession, job: Job, range: GrantRange, at: number): void {
  const running = range.status[at] === GrantStatus.running;
  const logSegment = running ? range.logSegment![at]! : 0;
  const logOffset = running ? range.logOffset![at]! : 0;
  const stoodMs = job.suspensions.stoodMs(range.position + at, books.now);
  endAttempt(books, session, job, range, at, {
    ...LOST,
    wallUs: running ? Math.max(0, (books.now - range.startedAt![at]! - stoodMs) * 1000) : 0,
    logSegment,
    logOffset,
    logEndSegment: logSegment,
    logEndOffset: logOffset,
  });
}
