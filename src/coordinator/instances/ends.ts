import type { Job } from '../../core/job.ts';
import { TASK_STATES } from '../../core/task-state.ts';
import type { World } from '../world.ts';
import type { InstanceArray } from './instance-array.ts';

/** Tells once that an array is over: all its tasks have ended and none of its machines is left. */
export function tellEnd(world: World, job: Job, array: InstanceArray): void {
  if (!job.finished || array.live.size > 0) {
    array.toldCompleted = false;
    return;
  }
  if (array.toldCompleted || array.members.size === 0) return;
  array.toldCompleted = true;
  noteTasks(world, job, array);
  let ranMs = 0;
  for (const row of array.rows()) ranMs += row.ranMs;
  const counts = Object.fromEntries(
    TASK_STATES.flatMap((state, at) => (job.table.counts[at]! > 0 ? [[state, job.table.counts[at]]] : [])),
  );
  world.memory.changes.event(world.now, job.id, 'arrayCompleted', { counts, cost: array.endedCost, ranMs });
}

/** What became of the tasks, for lists, when the job has left memory. */
function noteTasks(world: World, job: Job, array: InstanceArray): void {
  for (const [position, rows] of array.members) {
    const task = TASK_STATES[job.table.state[position]!]!;
    const newest = rows.at(-1)!;
    if (newest.task === task) continue;
    newest.task = task;
    world.memory.instances.save(world.memory.changes, newest);
  }
}
