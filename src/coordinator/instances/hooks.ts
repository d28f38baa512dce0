import { SpawnError } from '../../core/errors.ts';
import type { Memory } from '../memory.ts';
import type { World } from '../world.ts';
import { changed } from './change.ts';
import { isOver } from './row.ts';

/**
 * The task that an agent serves, which says that it is that of an instance.
 *
 * @throws INSTANCE_NOT_FOUND when no live instance has the id
 */
export function findBound(memory: Memory, instanceId: string): { jobId: number; position: number } {
  const row = memory.instances.rows.get(instanceId);
  if (row === undefined || isOver(row))
    throw new SpawnError('INSTANCE_NOT_FOUND', {
      ref: instanceId,
      ...(row === undefined ? {} : { why: 'it has ended' }),
    });
  return { jobId: row.jobId, position: row.position };
}

/** An agent opened a session for the instance, or goes on with one: it is told again how the instance shall be. */
export function instanceConnected(world: World, instanceId: string): void {
  const row = world.memory.instances.rows.get(instanceId);
  if (row === undefined || isOver(row)) return;
  row.live.said = '';
  row.live.launch = 'done';
  row.live.alone = undefined;
  changed(world, row);
}

/** The session of the instance is over: what becomes of the machine is found out. */
export function instanceGone(world: World, instanceId: string): void {
  const row = world.memory.instances.rows.get(instanceId);
  if (row === undefined || isOver(row)) return;
  row.live.said = '';
  row.live.alone = undefined;
  changed(world, row);
}

/** The stream to the agent is open, again perhaps: what it did not acknowledge was dropped, so it is told anew. */
export function instanceAttached(memory: Memory, instanceId: string): void {
  const row = memory.instances.rows.get(instanceId);
  if (row === undefined || isOver(row)) return;
  row.live.said = '';
  memory.instances.stale.add(row);
  memory.instances.dirty.add(row.jobId);
}

export { keepSpent } from './budget-book.ts';
export { admitLaunch, checkLaunch } from './launch-check.ts';
export { reconcileArrays as reconcileInstances } from './reconcile.ts';
export { takeReport as takeInstanceReport } from './reports.ts';
