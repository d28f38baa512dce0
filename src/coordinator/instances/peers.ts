import { TaskState } from '../../core/task-state.ts';
import { TaskReason } from '../../core/task-table.ts';
import type { World } from '../world.ts';
import type { InstanceArray } from './instance-array.ts';

/** The peers document changes at most so often: 4 times a second. */
const PEERS_EVERY_MS = 250;

/**
 * Lets the peers document follow who runs. There is none until every member has run once, those left out that will never: a task that has
 * ended before its instance ran.
 */
export function followPeers(world: World, array: InstanceArray, later: (ms: number) => void): void {
  if (!array.peersStale) return;
  if (!array.barrier && !allHaveRun(world, array)) {
    array.peersStale = false;
    return;
  }
  const steady = world.clock.steady();
  if (steady < array.peersDue) {
    later(array.peersDue - steady);
    return;
  }
  array.peersStale = false;
  const first = !array.barrier;
  array.barrier = true;
  const text = array
    .running()
    .map(({ id }) => id)
    .join(' ');
  if (!first && array.peers > 0 && text === array.peersText) return;
  array.peersText = text;
  array.peers = world.memory.instances.nextVersion();
  array.peersDue = steady + PEERS_EVERY_MS;
  for (const row of array.live.values()) {
    world.memory.instances.stale.add(row);
    if (row.barrier) continue;
    row.barrier = true;
    world.memory.instances.save(world.memory.changes, row);
  }
  if (first) world.memory.changes.event(world.now, array.id, 'arrayReady', { running: array.running().length });
}

function allHaveRun(world: World, array: InstanceArray): boolean {
  const table = world.memory.jobs.get(array.id)?.job.table;
  if (table === undefined || array.live.size === 0) return false;
  for (let position = 0; position < table.size; position++) {
    const row = array.newest(position);
    if (row !== undefined && (row.launchedAt > 0 || row.ranBefore)) continue;
    const over = table.state[position]! >= TaskState.completed || table.reasonOf(position) === TaskReason.resized;
    if (!over) return false;
  }
  return [...array.live.values()].some(({ state }) => state === 'running');
}
