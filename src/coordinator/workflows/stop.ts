import type { Job } from '../../core/job.ts';
import { TaskState } from '../../core/task-state.ts';
import { TaskReason } from '../../core/task-table.ts';
import { termOf } from '../../core/terms.ts';
import type { Books } from '../books.ts';
import { cancelTasks } from '../cancel.ts';
import { jobsOf } from './jobs-of.ts';

/**
 * A job has ended: if it failed and its workflow is to stop then, all of that which has not started is cancelled. What runs goes on, and what
 * was to follow a failure of this job does.
 */
export function stopAfter(books: Books, job: Job): void {
  const { workflow } = books.entryOf(job).fixed.spec;
  if (workflow?.stop !== true || job.state !== 'failed') return;
  const follow = new Set(
    job.waiters.filter((waiter) => termOf(waiter).type === 'afternotok').map((waiter) => waiter.job),
  );
  let cancelled = 0;
  for (const id of jobsOf(workflow)) {
    const other = books.memory.jobs.get(id)?.job;
    if (other === undefined || follow.has(other) || other.endedAt !== 0) continue;
    const waiting = [TaskState.blocked, TaskState.ready, TaskState.leased].flatMap((state) => [
      ...other.table.runsOf(state),
    ]);
    cancelled += cancelTasks(
      books,
      other,
      waiting.toSorted(([a], [b]) => a - b),
      TaskReason.workflowFailed,
    );
  }
  if (cancelled > 0) books.memory.changes.event(books.now, job.id, 'workflowStopped', { cancelled });
}
