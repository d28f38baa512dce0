import { GrantStatus } from '../core/grant-range.ts';
import type { Job } from '../core/job.ts';
import { TaskState } from '../core/task-state.ts';
import { TaskReason } from '../core/task-table.ts';
import type { WorkerSession } from '../core/worker-session.ts';
import type { Books } from './books.ts';
import { cancelTasks } from './cancel.ts';
import { loseAttempt } from './lose.ts';
import type { Memory } from './memory.ts';
import type { World } from './world.ts';

/**
 * Positions of the tasks that may run now, ascending: ready, not held, not waiting for a time, inside the gate of a canary. The throttle is
 * the caller's business (`job.room`).
 */
export function eligiblePositions(job: Job): Iterable<number> {
  return job.held || job.shut ? [] : job.table.eligible.positions();
}

/** Gives the sessions of instances the task of their index where that may run now: at once when it becomes ready, and after each end. */
export function grantBound(world: World): void {
  const { memory } = world;
  const { binding } = memory.changes;
  if (binding.size === 0) return;
  for (const id of binding) {
    const job = memory.jobs.get(id)?.job;
    if (job === undefined || job.held || job.shut || job.table.eligible.count === 0) continue;
    for (const { session, position } of idleMembers(memory, job)) {
      if (job.room === 0) break;
      world.grant(session, job.laneOf(position), position, 1, 1);
    }
  }
  binding.clear();
}

/** In the order of the array: a throttle lets the first ones go first. */
function idleMembers(memory: Memory, job: Job): { session: WorkerSession; position: number }[] {
  const idle: { session: WorkerSession; position: number }[] = [];
  for (const [position, { session, bound }] of memory.boundTo(job.id)) {
    if (!session.connected || session.draining || session.heldCount > 0) continue;
    if (!job.table.eligible.has(position)) continue;
    // One that shall stop is to take nothing more.
    if (memory.instances.rows.get(bound!.instance)?.wanted !== 'running') continue;
    idle.push({ session, position });
  }
  return idle.sort((a, b) => a.position - b.position);
}

/**
 * Cancels the task of an instance for a reason: one that waits ends at once, one that a session holds is asked for, one that was cancelled by
 * its agent before the reason was known gets it now. False when there was nothing to do.
 */
export function cancelTask(books: Books, job: Job, position: number, reason: TaskReason): boolean {
  if (cancelTasks(books, job, [[position, 1]], reason) > 0) return true;
  const { table } = job;
  if (table.state[position] !== TaskState.cancelled || table.reasonOf(position) !== TaskReason.none) return false;
  table.setReason(position, 1, reason);
  books.changed(job);
  return true;
}

/**
 * The task of an instance can never run, or run on: it has failed, for a reason. An attempt that has begun is lost with it. False when it
 * had ended before.
 */
export function failTask(books: Books, job: Job, position: number, reason: TaskReason): boolean {
  const { table } = job;
  if (table.state[position]! >= TaskState.completed) return false;
  for (const range of [...job.grants]) {
    const at = position - range.position;
    if (at < 0 || at >= range.count || range.status[at] === GrantStatus.closed) continue;
    loseAttempt(books, books.memory.sessions.get(range.sessionId)!.session, job, range, at);
  }
  for (const state of [TaskState.ready, TaskState.blocked]) {
    table.moveAll(
      state,
      TaskState.failed,
      reason,
      () => {
        if (table.retryTicks !== undefined) table.setRetryTick(position, 0);
        books.settlement.ended(job, position, 1);
      },
      position,
      1,
    );
  }
  // The loss may have been one too many.
  if (table.state[position] === TaskState.failed) table.setReason(position, 1, reason);
  books.changed(job);
  return true;
}
