import { type GrantRange, GrantStatus } from '../core/grant-range.ts';
import type { Job } from '../core/job.ts';
import { TaskState } from '../core/task-state.ts';
import { TaskFlag, type TaskReason } from '../core/task-table.ts';
import type { Books } from './books.ts';

export type Runs = readonly (readonly [start: number, count: number])[];

/**
 * Cancels the named tasks: those that wait end at once, those that a worker holds are asked for. Gives how many tasks that changed.
 */
export function cancelTasks(books: Books, job: Job, runs: Runs, reason: TaskReason): number {
  let changed = 0;
  for (const [start, count] of runs) {
    for (const state of [TaskState.ready, TaskState.blocked]) {
      job.table.moveAll(
        state,
        TaskState.cancelled,
        reason,
        (at, length) => {
          changed += length;
          books.settlement.ended(job, at, length);
        },
        start,
        count,
      );
    }
  }
  changed += requestStop(books, job, runs, TaskFlag.cancelRequested, reason);
  if (changed > 0) books.changed(job);
  return changed;
}

/** Asks the workers that hold any of the named tasks to stop them; `flag` says what becomes of them then. */
export function requestStop(books: Books, job: Job, runs: Runs, flag: number, reason: TaskReason): number {
  let asked = 0;
  for (const range of job.grants) {
    for (const at of eachIn(range, runs)) {
      const position = range.position + at;
      if (range.status[at] === GrantStatus.closed || job.table.hasFlag(position, flag)) continue;
      job.table.setFlag(position, flag, true);
      job.table.setReason(position, 1, reason);
      addFence(books.memory.changes.tell(range.sessionId).cancel, range.fence + at);
      asked++;
    }
  }
  return asked;
}

/** Offsets in a range of the tasks that the runs, ascending, name. There may be half a million runs and thousands of ranges. */
export function* eachIn(range: GrantRange, runs: Runs): Generator<number> {
  const end = range.position + range.count;
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (runs[middle]![0] + runs[middle]![1] <= range.position) low = middle + 1;
    else high = middle;
  }
  for (; low < runs.length && runs[low]![0] < end; low++) {
    const [start, count] = runs[low]!;
    const to = Math.min(end, start + count);
    for (let position = Math.max(start, range.position); position < to; position++) yield position - range.position;
  }
}

/** Adds a fence to a list of runs, to the last one where it continues it. */
export function addFence(runs: [number, number][], fence: number): void {
  const last = runs.at(-1);
  if (last !== undefined && last[0] + last[1] === fence) last[1]++;
  else runs.push([fence, 1]);
}
