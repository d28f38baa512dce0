import type { PeersReply } from '../../api/instance.ts';
import { SpawnError } from '../../core/errors.ts';
import { TaskState } from '../../core/task-state.ts';
import { TaskReason } from '../../core/task-table.ts';
import type { Ledger } from '../ledger.ts';
import { refuseStranger } from '../ownership.ts';
import type { Caller } from '../use-cases.ts';
import type { World } from '../world.ts';
import type { InstanceArray } from './instance-array.ts';
import type { InstanceRow } from './row.ts';

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
  const text = membersOf(array)
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
  if (first) world.memory.changes.event(world.now, array.id, 'arrayReady', { running: membersOf(array).length });
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

/** Those that run, in order of index. */
function membersOf(array: InstanceArray): InstanceRow[] {
  return [...array.live.values()]
    .filter(({ state }) => state === 'running')
    .toSorted((a, b) => a.position - b.position);
}

/** Who runs in the array of the instance that a session serves. Errors: SESSION_UNKNOWN, INSTANCE_NOT_FOUND for a worker of the pool. */
export function readPeers(ledger: Ledger, caller: Caller, sessionId: number): Promise<PeersReply> {
  return ledger.read((memory) => {
    const entry = memory.sessions.get(sessionId);
    if (entry === undefined) throw new SpawnError('SESSION_UNKNOWN', { session: sessionId });
    refuseStranger(caller, sessionId, entry.token);
    const row = memory.instances.rows.get(entry.bound?.instance ?? '');
    if (row === undefined) throw new SpawnError('INSTANCE_NOT_FOUND', { ref: `of session ${sessionId}` });
    const array = memory.instances.arrays.get(row.jobId)!;
    const members = membersOf(array).map(({ id, name, index, position, address }) => ({
      index,
      rank: position,
      id,
      name,
      ip: address,
      privateIp: address,
      dns: array.plan.member(position).dns,
    }));
    return { version: array.peers, members };
  });
}
