import { TaskState } from '../../core/task-state.ts';
import type { Checkpoints } from '../../objects/log-reader.ts';
import type { Memory } from '../memory.ts';

/** Checkpoints of those of these jobs' tasks that have completed: to be dropped once that is durable. */
export function checkpointsOver(
  memory: Memory,
  checkpoints: Checkpoints | undefined,
  jobs: Iterable<number>,
): () => void {
  if (checkpoints === undefined) return () => {};
  const over: [number, number][] = [];
  for (const jobId of jobs) {
    const job = memory.jobs.get(jobId)?.job;
    if (job === undefined) continue;
    for (const position of checkpoints.positions(jobId)) {
      if (job.table.state[position] === TaskState.completed) over.push([jobId, position]);
    }
  }
  return () => {
    // What cannot be removed now goes with the job.
    for (const [jobId, position] of over) void checkpoints.drop(jobId, position).catch(() => {});
  };
}
