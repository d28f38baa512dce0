import { TaskState } from './task-state.ts';

/** How many tasks of a job are in each state, by the number of the state. Every task is in exactly one. */
export type JobCounts = ArrayLike<number>;

export type JobState = 'running' | 'ready' | 'held' | 'blocked' | 'failed' | 'cancelled' | 'skipped' | 'completed';

/** How many of so many tasks must complete for their job to have succeeded. */
export function neededOf(size: number, minSuccess: number): number {
  // 0.07 of 100 tasks are 7 of them, and not the 8 that binary fractions make of it.
  return Math.max(1, Math.ceil(size * minSuccess - 1e-9));
}

/**
 * The state of a job is never stored: it is the first of the list that applies. Leased tasks count as running. One of which enough tasks
 * have completed is completed, whatever became of the others.
 */
export function jobState(counts: JobCounts, held: boolean, minSuccess = 1): JobState {
  const of = (state: TaskState): number => counts[state]!;
  if (of(TaskState.running) + of(TaskState.leased) > 0) return 'running';
  if (held && of(TaskState.ready) + of(TaskState.blocked) > 0) return 'held';
  if (of(TaskState.ready) > 0) return 'ready';
  if (of(TaskState.blocked) > 0) return 'blocked';
  if (minSuccess < 1 && of(TaskState.completed) >= neededOf(endedIn(counts), minSuccess)) return 'completed';
  if (of(TaskState.failed) > 0) return 'failed';
  if (of(TaskState.cancelled) > 0) return 'cancelled';
  if (of(TaskState.skipped) > 0) return 'skipped';
  return 'completed';
}

/** True when no task can move without a person. */
export function isFinished(counts: JobCounts): boolean {
  return (
    counts[TaskState.blocked]! + counts[TaskState.ready]! + counts[TaskState.leased]! + counts[TaskState.running]! === 0
  );
}

/** Tasks that no worker and no dependency moves any more. */
function endedIn(counts: JobCounts): number {
  const { completed, failed, cancelled, skipped } = TaskState;
  return counts[completed]! + counts[failed]! + counts[cancelled]! + counts[skipped]!;
}
