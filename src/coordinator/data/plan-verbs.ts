import { SpawnError } from '../../core/errors.ts';
import { TaskReason } from '../../core/task-table.ts';
import { retryTasks } from '../again.ts';
import { cancelTasks } from '../cancel.ts';
import type { JobEntry } from '../memory.ts';
import type { World } from '../world.ts';
import { planAgain } from './grow.ts';
import { awaitsPlan, planningJob } from './planned.ts';

/**
 * Tasks of a job are about to run again. Where it has none yet they are planned; what has a plan is not planned once more. Gives how many tasks
 * of its planning job run again.
 *
 * @throws CONFLICT
 */
export function beforeAgain(world: World, entry: JobEntry): number {
  const { role } = entry.fixed.spec;
  const planned = role?.kind === 'plan' ? world.memory.jobs.get(role.of)?.job.plan : undefined;
  if (planned !== undefined) {
    throw new SpawnError('CONFLICT', {
      what: `job ${entry.job.id}`,
      expected: `a plan that has not been made (submit job ${role!.of} again for another one)`,
      found: `${planned.parts} parts`,
    });
  }
  return planAgain(world, entry, (planner) => retryTasks(world, planner, [[0, 1]]));
}

/** Nobody wants the plan of a job that was cancelled before it had its tasks. */
export function cancelPlan(world: World, entry: JobEntry): void {
  const planner = awaitsPlan(entry) ? planningJob(world.memory, entry) : undefined;
  if (planner !== undefined && planner.endedAt === 0) {
    cancelTasks(world, planner, [[0, 1]], TaskReason.cancelledByUser);
  }
}

/** What a job waits for cannot be changed as long as it has one task in place of all. Errors: CONFLICT. */
export function refuseAwaiting(entry: JobEntry): void {
  if (!awaitsPlan(entry)) return;
  const what = `job ${entry.job.id}`;
  throw new SpawnError('CONFLICT', { what, expected: 'one that has its plan', found: 'one that waits for it' });
}
