import type { JobSpec } from '../api/job-spec.ts';
import { SpawnError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import { TaskReason } from '../core/task-table.ts';
import { revokeHeld } from './again.ts';
import type { Books } from './books.ts';
import { cancelTasks } from './cancel.ts';

/** A time as a request gives it: itself, or how long from now. */
export interface GivenTime {
  at: number | null | undefined;
  inMs: number | undefined;
}

/** Refuses a time that is given in both ways. `where` is `beginAt` or `deadlineAt`, with what comes before it. */
export function checkGiven(where: string, { at, inMs }: GivenTime): void {
  if (at === undefined || inMs === undefined) return;
  throw new SpawnError('BAD_REQUEST', {
    where: `${where}, ${where.replace(/At$/, 'InMs')}`,
    expected: 'one of the two',
    found: 'both',
  });
}

/** When a job of this spec that is submitted now begins and has its deadline, epoch ms; 0 = not given. */
export function timesOf(spec: JobSpec, now: number): { beginAt: number; deadlineAt: number } {
  const beginAt = resolve(now, { at: spec.beginAt, inMs: spec.beginInMs });
  const deadlineAt = resolve(now, { at: spec.deadlineAt, inMs: spec.deadlineInMs });
  checkOrder('spec.', now, beginAt, deadlineAt);
  return { beginAt, deadlineAt };
}

function resolve(now: number, { at, inMs }: GivenTime): number {
  return inMs === undefined ? (at ?? 0) : now + inMs;
}

function checkOrder(prefix: string, now: number, beginAt: number, deadlineAt: number): void {
  if (deadlineAt === 0 || deadlineAt > Math.max(now, beginAt)) return;
  const expected = beginAt > now ? `a time after it begins (${timeText(beginAt)})` : 'a time in the future';
  throw new SpawnError('BAD_REQUEST', { where: `${prefix}deadlineAt`, expected, found: timeText(deadlineAt) });
}

export function timeText(at: number): string {
  return new Date(at).toISOString();
}

/** Nothing of the job is granted before `at`, epoch ms; null = it may begin. What runs goes on, what has not started is taken back. */
export function setBegin(books: Books, job: Job, at: number | null): void {
  const beginAt = at ?? 0;
  checkOrder('', books.now, beginAt, job.deadlineAt);
  if (beginAt === job.beginAt) return;
  job.beginAt = beginAt;
  followTimes(books, job);
  if (job.shut) revokeHeld(books, job, [[0, job.size]]);
  books.memory.changes.event(books.now, job.id, 'beginChanged', { beginAt: at });
  books.changed(job);
}

/** What of the job has not ended at `at`, epoch ms, is cancelled then; null = never. */
export function setDeadline(books: Books, job: Job, at: number | null): void {
  const deadlineAt = at ?? 0;
  checkOrder('', books.now, job.beginAt, deadlineAt);
  if (deadlineAt === job.deadlineAt) return;
  job.deadlineAt = deadlineAt;
  followTimes(books, job);
  books.memory.changes.event(books.now, job.id, 'deadlineChanged', { deadlineAt: at });
  books.changed(job);
}

/** Brings what may be granted, and the alarm, in line with the job's times: they were set or loaded, or an alarm rang. */
export function followTimes(books: Books, job: Job): void {
  const { now } = books;
  const { beginAt, deadlineAt } = job;
  job.shut = beginAt > now || (deadlineAt !== 0 && deadlineAt <= now);
  if (beginAt > now) books.wait(job, beginAt);
  if (deadlineAt !== 0) books.wait(job, deadlineAt);
}

/** Its alarm rang, whatever for. */
export function ringTimes(books: Books, job: Job): void {
  if (job.endedAt !== 0) return;
  if (job.deadlineAt === 0 || job.deadlineAt > books.now) {
    followTimes(books, job);
    return;
  }
  job.shut = true;
  const cancelled = cancelTasks(books, job, [[0, job.size]], TaskReason.deadline);
  if (cancelled > 0) books.memory.changes.event(books.now, job.id, 'deadlinePassed', { cancelled });
}

/** Tasks of the job run again because a person wants it: a deadline that has passed holds no longer. */
export function reviveTimes(books: Books, job: Job): void {
  if (job.deadlineAt !== 0 && job.deadlineAt <= books.now) {
    job.deadlineAt = 0;
    books.memory.changes.event(books.now, job.id, 'deadlineChanged', { deadlineAt: null });
  }
  followTimes(books, job);
}
