import type { InstancesQuery, InstancesReply, InstanceView } from '../../api/instance.ts';
import { SpawnError } from '../../core/errors.ts';
import { costOf } from '../../core/instance-cost.ts';
import { TASK_STATES } from '../../core/task-state.ts';
import type { Ledger } from '../ledger.ts';
import type { World } from '../world.ts';
import { ranMsOf, ttlLeftOf } from './accounts.ts';
import type { InstanceArray } from './instance-array.ts';
import { tagsOf } from './order.ts';
import { type InstanceRow, isOver } from './row.ts';
import { findRows } from './targets.ts';

/** One page of the instances that fit. */
export function listInstances(ledger: Ledger, query: InstancesQuery): Promise<InstancesReply> {
  return ledger.read((memory) => {
    const { state, region, type, after, limit } = query;
    const instances: InstanceView[] = [];
    const last = after === undefined ? undefined : readPlace(after);
    let next = '';
    for (const [array, row] of findRows(memory.instances, query)) {
      if (last !== undefined && !isAfter(row, last)) continue;
      if (state !== undefined && row.state !== state) continue;
      if (region !== undefined && row.region !== region) continue;
      if (type !== undefined && array.plan.type.name !== type) continue;
      if (instances.length === limit) return { instances, next };
      instances.push(viewInstance(ledger.world, array, row));
      next = `${row.jobId}.${row.position}.${row.generation}`;
    }
    return { instances };
  });
}

type Place = readonly [job: number, position: number, generation: number];

/** A place in the list, and no instance: that one may be forgotten before the next page is asked for. */
function readPlace(text: string): Place {
  const parts = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/.exec(text);
  if (parts === null)
    throw new SpawnError('BAD_REQUEST', { where: 'after', expected: '`next` of the page before', found: text });
  return [Number(parts[1]), Number(parts[2]), Number(parts[3])];
}

/** In the order of the list: the newest array first. */
function isAfter(row: InstanceRow, [job, position, generation]: Place): boolean {
  if (row.jobId !== job) return row.jobId < job;
  return row.position === position ? row.generation > generation : row.position > position;
}

function viewInstance(world: World, array: InstanceArray, row: InstanceRow): InstanceView {
  const { fixed, part, plan } = array;
  const ranMs = ranMsOf(world, row);
  const ttlLeftMs = isOver(row) ? undefined : ttlLeftOf(world, row, part.ttlMode);
  const job = world.memory.jobs.get(row.jobId)?.job;
  const member = plan.member(row.position);
  const params = part.params?.[row.position];
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    ...(row.reason === undefined ? {} : { reason: row.reason }),
    ...(row.message === undefined ? {} : { message: row.message }),
    type: plan.type.name,
    region: row.region,
    zone: row.zone,
    ...(row.address === '' || isOver(row) ? {} : { publicIp: row.address, privateIp: row.address }),
    ...(row.state === 'running' ? { dns: member.dns } : {}),
    spot: row.spot,
    jobId: row.jobId,
    arrayId: fixed.arrayId,
    arrayName: fixed.name,
    index: row.index,
    rank: row.position,
    arraySize: array.size,
    standalone: part.standalone,
    owner: row.owner,
    // Of an earlier machine what became of the task there: it may be another one's now.
    task:
      job === undefined || array.newest(row.position) !== row ? row.task : TASK_STATES[job.table.state[row.position]!]!,
    createdAt: row.createdAt,
    ...(row.launchedAt === 0 ? {} : { launchedAt: row.launchedAt }),
    ...(row.endedAt === 0 ? {} : { endedAt: row.endedAt }),
    ttlMs: row.ttlMs,
    ...(ttlLeftMs === undefined ? {} : { ttlLeftMs: Math.max(0, ttlLeftMs) }),
    idleTimeoutMs: part.idleTimeoutMs,
    ...(row.live.idleMs === undefined ? {} : { idleMs: row.live.idleMs }),
    ...(row.live.cpuPercent === undefined ? {} : { cpuPercent: row.live.cpuPercent }),
    ranMs,
    rate: row.rate,
    cost: costOf(ranMs, row.rate),
    tags: tagsOf(array, row, world.memory.instances.setup!.storeId),
    ...(params === undefined ? {} : { params }),
    generation: row.generation,
  };
}
