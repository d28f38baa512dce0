import { SpawnError } from '../core/errors.ts';
import { GrantStatus } from '../core/grant-range.ts';
import type { Job } from '../core/job.ts';
import { rearmFollowers } from '../core/rearm.ts';
import { TaskState } from '../core/task-state.ts';
import { TaskFlag, TaskReason } from '../core/task-table.ts';
import type { Books } from './books.ts';
import { addFence, eachIn, type Runs, requestStop } from './cancel.ts';
import { passOn } from './instances/pass-on.ts';
import { keep } from './selection.ts';

/** Ended tasks that `retry` takes when none are named; with names it takes the same states. */
export const RETRIED = [TaskState.failed, TaskState.cancelled] as const;
const REQUEUED = [TaskState.completed, TaskState.failed, TaskState.cancelled] as const;

/**
 * Runs failed, lost and cancelled tasks again, in place: same ids, attempts kept, counters reset; skipped followers wait again.
 * Gives how many tasks that changed.
 */
export function retryTasks(books: Books, job: Job, runs: Runs): number {
  return runAgain(books, job, runs, RETRIED);
}

/**
 * Sends tasks back whatever they did: ended ones as `retry` does, running ones are stopped first and count no failure. With `hold` those that are
 * sent back, and no others, are held.
 */
export function requeueTasks(books: Books, job: Job, runs: Runs, hold = false): number {
  const { table } = job;
  const back: ReadonlySet<number> = new Set([TaskState.leased, TaskState.running, ...REQUEUED]);
  const held = hold ? keep(runs, (position) => back.has(table.state[position]!)) : [];
  const stopped = requestStop(books, job, runs, TaskFlag.requeueRequested, TaskReason.none);
  const tasks = stopped + runAgain(books, job, runs, REQUEUED);
  if (flagHeld(job, held, true) > 0) books.changed(job);
  return tasks;
}

function runAgain(books: Books, job: Job, runs: Runs, states: readonly TaskState[]): number {
  const { table } = job;
  const behind = mustQueueAgain(books, job);
  // What was cancelled while it waited for its dependency waits for it again, unless that is decided by now.
  const waits = behind || job.conditions.some(({ mayWait }) => mayWait);
  const changed: [number, number][] = [];
  for (const [start, count] of runs) {
    for (const state of states) {
      table.moveAll(
        state,
        waits ? TaskState.blocked : TaskState.ready,
        TaskReason.none,
        (at, length) => {
          changed.push([at, length]);
          startAfresh(job, at, length);
        },
        start,
        count,
      );
    }
  }
  const tasks = changed.reduce((sum, [, length]) => sum + length, 0);
  if (tasks === 0) return 0;
  job.retried += tasks;
  if (job.facts.bound) passOn(books, job.id, changed);
  books.revived(job);
  const followers = rearmFollowers(job, changed, books);
  if (waits && !behind) releaseStarted(job, changed);
  if (waits) books.settlement.evaluate(job);
  books.changed(job);
  for (const follower of followers) books.settlement.evaluate(follower);
  books.settlement.run();
  return tasks;
}

/** For what has run once the dependency was satisfied, and that stays so. */
function releaseStarted({ table }: Job, runs: Runs): void {
  for (const [start, count] of runs) {
    for (let position = start; position < start + count; position++) {
      if (table.attempts[position] === 0) continue;
      table.move(position, TaskState.ready);
      table.touch(position);
    }
  }
}

/** A singleton that had ended queues behind whoever holds its name now. */
function mustQueueAgain(books: Books, job: Job): boolean {
  if (!job.conditions.some(({ isSingleton }) => isSingleton)) return false;
  if (job.endedAt === 0 || isEmpty(books.sharers(job))) return false;
  for (const condition of job.conditions) condition.queueAgain();
  return true;
}

function isEmpty(jobs: Iterable<Job>): boolean {
  for (const _ of jobs) return false;
  return true;
}

/** Counters are reset, and what was cancelled while it waited for its retry delay waits no more. */
function startAfresh(job: Job, start: number, count: number): void {
  const { table } = job;
  table.failures?.fill(0, start, start + count);
  table.losses?.fill(0, start, start + count);
  if (table.failures !== undefined || table.losses !== undefined) table.touchRun(start, count);
  if (table.retryTicks === undefined) return;
  for (let position = start; position < start + count; position++) {
    if (table.retryTicks[position] !== 0) table.setRetryTick(position, 0);
  }
}

/**
 * Whole job, or single tasks: nothing of them starts until they are released. Unstarted grants are taken back. Released tasks of a held job are
 * released alone: the others are held one by one then.
 */
export function holdTasks(books: Books, job: Job, runs: Runs, whole: boolean, held: boolean): number {
  if (job.endedAt !== 0) throw new SpawnError('JOB_ENDED', { ref: String(job.id), state: job.state });
  let changed = 0;
  if (whole) {
    if (job.held === held && (held || job.table.flags === undefined)) return 0;
    changed = job.size - job.table.ended;
    job.held = held;
  }
  if (!whole && !held && job.held) return releaseSome(books, job, runs);
  if (!whole || !held) changed = Math.max(changed, flagHeld(job, runs, held));
  books.changed(job);
  return changed;
}

function releaseSome(books: Books, job: Job, runs: Runs): number {
  const { table } = job;
  const isLive = (position: number) => table.state[position]! < TaskState.completed;
  const released = keep(runs, isLive);
  if (released.length === 0) return 0;
  flagHeld(job, [[0, job.size]], true);
  job.held = false;
  const changed = flagHeld(job, released, false);
  books.changed(job);
  return changed;
}

function flagHeld(job: Job, runs: Runs, held: boolean): number {
  const { table } = job;
  if (!held && table.flags === undefined) return 0;
  let changed = 0;
  for (const [start, count] of runs) {
    for (let position = start; position < start + count; position++) {
      if (table.state[position]! >= TaskState.completed || table.hasFlag(position, TaskFlag.held) === held) continue;
      table.setFlag(position, TaskFlag.held, held);
      changed++;
    }
  }
  return changed;
}

/** Takes back the unstarted grants of the named tasks, since they are held now. */
export function revokeHeld(books: Books, job: Job, runs: Runs): void {
  for (const range of job.grants) {
    const { revoke } = books.memory.changes.tell(range.sessionId);
    for (const at of eachIn(range, runs)) {
      if (range.status[at] === GrantStatus.leased) addFence(revoke, range.fence + at);
    }
  }
}
