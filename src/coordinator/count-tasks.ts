import type { Job } from '../core/job.ts';
import { type TASK_STATES, TaskState } from '../core/task-state.ts';
import { TASK_REASONS } from '../core/task-table.ts';

/** What is counted over all tasks of a job at once. */
export interface TaskCounts {
  /** Failed tasks by the encoded outcome of their last attempt. */
  readonly failed: ReadonlyMap<number, number>;
  /** Cancelled ones by reason. */
  readonly cancelled: ReadonlyMap<number, number>;
  /** Those tried more than once. */
  readonly retried: number;
}

/** Looks at each task once. */
export function countTasks({ table }: Job): TaskCounts {
  const { state, attempts, outcomes, counts, size } = table;
  let retried = 0;
  for (let position = 0; position < size; position++) if (attempts[position]! > 1) retried++;
  const failed = new Uint32Array(2 ** 16);
  if (counts[TaskState.failed]! > 0) {
    for (let position = 0; position < size; position++) {
      if (state[position] === TaskState.failed) failed[outcomes?.[position] ?? 0]!++;
    }
  }
  const cancelled = new Uint32Array(TASK_REASONS.length);
  for (const [start, count] of counts[TaskState.cancelled]! === 0 ? [] : table.runsOf(TaskState.cancelled)) {
    for (let position = start; position < start + count; position++) cancelled[table.reasonOf(position)]!++;
  }
  return { failed: notZero(failed), cancelled: notZero(cancelled), retried };
}

function notZero(counts: Uint32Array): Map<number, number> {
  return new Map([...counts.entries()].filter(([, count]) => count > 0));
}

/** Runs of the positions in a state that also fit, at most `limit` runs. */
export function runsWhere(
  { table }: Job,
  wanted: (typeof TASK_STATES)[number],
  fits: (position: number) => boolean,
  limit: number,
): [start: number, count: number][] {
  const runs: [number, number][] = [];
  const { state, size } = table;
  const number = TaskState[wanted];
  for (let position = 0; position < size; position++) {
    if (state[position] !== number || !fits(position)) continue;
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[1] === position) last[1]++;
    else if (runs.length === limit) return runs;
    else runs.push([position, 1]);
  }
  return runs;
}
