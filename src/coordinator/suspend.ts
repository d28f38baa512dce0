import { SpawnError } from '../core/errors.ts';
import { type GrantRange, GrantStatus } from '../core/grant-range.ts';
import { asJobId, formatTaskId } from '../core/ids.ts';
import type { Job } from '../core/job.ts';
import { TaskFlag } from '../core/task-table.ts';
import type { WorkerSession } from '../core/worker-session.ts';
import type { Books } from './books.ts';
import { addFence, eachIn, type Runs } from './cancel.ts';
import { sessionsOf } from './gang.ts';

/** Workers before this would not understand it. */
const LEAST_API = 2;

/**
 * Lets what runs of the named tasks stand still, or go on; what waits is left alone and may start. Resources stay taken, and the time limit
 * stands still with the task. Gives how many tasks that changed.
 *
 * @throws SpawnError CONFLICT, before anything is changed, where a worker cannot do it
 */
export function suspendTasks(books: Books, job: Job, runs: Runs, on: boolean): number {
  const found = [...job.grants].flatMap((range) => {
    const running = [...eachIn(range, runs)].filter((at) => mayChange(job, range, at));
    return running.length === 0 ? [] : [{ range, running, session: sessionOf(books, range) }];
  });
  for (const { range, running, session } of found) {
    if (session.api < LEAST_API) refuse(job, range.position + running[0]!, session);
  }
  let changed = 0;
  for (const { range, running } of found) {
    for (const at of running) {
      const position = range.position + at;
      const isNew = on ? job.suspensions.suspend(position, books.now) : job.suspensions.resume(position, books.now);
      if (!isNew) continue;
      for (const { id } of sessionsOf(books.memory, range)) tell(books, id, range.fence + at, on);
      changed++;
    }
  }
  if (changed > 0) books.changed(job);
  return changed;
}

/** What may have been durable and yet never said to the worker. */
export function repeatSuspension(books: Books, job: Job, range: GrantRange, at: number): void {
  const suspension = job.suspensions.of(range.position + at);
  if (suspension === undefined) return;
  for (const { id } of sessionsOf(books.memory, range)) tell(books, id, range.fence + at, suspension.since !== 0);
}

/** In the order of what was asked: the last word counts. */
function tell(books: Books, sessionId: number, fence: number, on: boolean): void {
  const { suspend } = books.memory.changes.tell(sessionId);
  if (suspend.at(-1)?.on !== on) suspend.push({ on, fences: [] });
  addFence(suspend.at(-1)!.fences, fence);
}

/** What is to end goes on to its end. */
function mayChange({ table }: Job, range: GrantRange, at: number): boolean {
  if (range.status[at] !== GrantStatus.running) return false;
  return !table.hasFlag(range.position + at, TaskFlag.cancelRequested | TaskFlag.requeueRequested);
}

function sessionOf(books: Books, range: GrantRange): WorkerSession {
  return books.memory.sessions.get(range.sessionId)!.session;
}

function refuse(job: Job, position: number, { worker, api }: WorkerSession): never {
  throw new SpawnError('CONFLICT', {
    what: `task ${formatTaskId(asJobId(job.id), job.facts.indices.at(position))}`,
    expected: 'one whose worker can suspend it',
    found: `worker ${worker} of an older release (API ${api})`,
  });
}
