import type { Job } from '../core/job.ts';
import { TaskState } from '../core/task-state.ts';
import type { Memory } from './memory.ts';
import { predecessorIds } from './restore.ts';

/** Unties a job that leaves memory: those that waited for it have been decided, and need it no more. */
export function unlink(job: Job): void {
  for (const { job: follower, condition, term } of job.waiters) {
    if (follower.table.counts[TaskState.blocked] === 0) condition.predecessors[term] = undefined;
  }
  for (const predecessor of job.conditions.flatMap(({ predecessors }) => predecessors)) {
    const at = predecessor?.waiters.findIndex((waiter) => waiter.job === job) ?? -1;
    if (at >= 0) predecessor!.waiters.splice(at, 1);
  }
}

/** Numbers of the jobs that one waits for which is here. */
export function predecessorsOf(memory: Memory, id: number): readonly number[] {
  const entry = memory.jobs.get(id);
  return entry === undefined ? [] : predecessorIds(entry.job);
}
