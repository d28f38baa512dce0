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
  const beginAt = resolve(now, { at: spec.beginAt, inMs: spec.beginInMs }) ?? 0;
  const deadlineAt = resolve(now, { at: spec.deadlineAt, inMs: spec.deadlineInMs });
  checkOrder('spec.', now, beginAt, deadlineAt);
  return { beginAt, deadlineAt: deadlineAt ?? 0 };
}

function resolve(now: number, { at, inMs }: GivenTime): number | null {
  return inMs === undefined ? (at ?? null) : now + inMs;
}

function checkOrder(prefix: string, now: number, beginAt: number, deadlineAt: number | null): void {
  if (deadlineAt === null || deadlineAt > Math.max(now, beginAt)) return;
  const expected = beginAt > now ? `a time after it begins (${timeText(beginAt)})` : 'a time in the future';
  throw new SpawnError('BAD_REQUEST', { where: `${prefix}deadlineAt`, expected, found: timeText(deadlineAt) });
}

export function timeText(at: number): string {
  return new Date(at).toISOString();
}

/** What the times of a job shall be, epoch ms: null = none, undefined = as they are. */
export interface NewTimes {
  readonly beginAt: number | null | undefined;
  readonly deadlineAt: number | null | undefined;
}

/**
 * Errors: BAD_REQUEST when the deadline would have passed, or be before the job begins. A deadline that is being carried out is in
 * the way of no other change.
 */
export function checkTimes(now: number, job: Job, times: NewTimes): void {
  if (times.beginAt === undefined && times.deadlineAt === undefined) return;
  const { beginAt = job.beginAt, deadlineAt = job.deadlineAt || null } = times;
  checkOrder('', now, beginAt ?? 0, deadlineAt);
}

/**
 * Nothing of the job is granted before it begins: what runs goes on, what has not started is taken back. What has not ended at its
 * deadline is cancelled then. True when something is another now. Errors: those of checkTimes, and nothing was changed.
 */
export function setTimes(books: Books, job: Job, times: NewTimes): boolean {
  checkTimes(books.now, job, times);
  const before = { beginAt: job.beginAt, deadlineAt: job.deadlineAt };
  job.beginAt = (times.beginAt === undefined ? before.beginAt : times.beginAt) ?? 0;
  job.deadlineAt = (times.deadlineAt === undefined ? before.deadlineAt : times.deadlineAt) ?? 0;
  if (job.beginAt === before.beginAt && job.deadlineAt === before.deadlineAt) return false;
  followTimes(books, job);
  if (job.shut) revokeHeld(books, job, [[0, job.size]]);
  books.changed(job);
  return true;
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
