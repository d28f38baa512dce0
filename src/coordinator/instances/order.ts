import type { MachineOrder } from '../../api/instance-session.ts';
import { formatDuration } from '../../core/duration.ts';
import { allTags } from '../../core/instance-tags.ts';
import type { World } from '../world.ts';
import { ttlLeftOf } from './accounts.ts';
import { toldShare } from './directives.ts';
import type { InstanceArray } from './instance-array.ts';
import type { InstanceRow } from './row.ts';

/** MASTER_PORT: every array has an address of its own for rank 0, so all can have the same. */
const MASTER_PORT = 29_500;

/** What the provider and the agent need to know of a machine that is about to be launched. */
export function makeOrder(world: World, row: InstanceRow): MachineOrder {
  const book = world.memory.instances;
  const array = book.arrays.get(row.jobId)!;
  const { fixed, plan, part } = array;
  const first = plan.member(0);
  const { dns } = plan.member(row.position);
  const dnsServer = book.ports!.dnsServer?.();
  return {
    id: row.id,
    name: row.name,
    jobId: fixed.id,
    arrayId: fixed.arrayId,
    arrayName: fixed.name,
    index: row.index,
    rank: row.position,
    size: array.size,
    standalone: part.standalone,
    type: { ...plan.type },
    region: row.region,
    zone: row.zone,
    address: row.address,
    dns,
    groupDns: plan.groupDns,
    dnsSuffix: plan.dnsSuffix,
    ...(dnsServer === undefined ? {} : { dnsServer }),
    spot: row.spot,
    rate: row.rate,
    tags: tagsOf(array, row, book.setup!.storeId),
    env: { ...fixed.spec.env, ...paramsEnv(array, row) },
    master: { address: array.newest(0)?.address || first.dns, port: MASTER_PORT },
    cwd: fixed.spec.cwd,
    ...(part.userData === undefined ? {} : { userData: part.userData }),
    retries: fixed.spec.retries > 0,
    ttlMode: part.ttlMode,
    ttlMs: Math.max(0, Math.ceil(ttlLeftOf(world, row, part.ttlMode) ?? 0)),
    idleTimeoutMs: part.idleTimeoutMs,
    idleCpuPercent: part.idleCpuPercent,
    onIdle: part.onIdle,
    onComplete: part.onComplete,
    ...(part.preStop === undefined ? {} : { preStop: part.preStop }),
    preStopTimeoutMs: part.preStopTimeoutMs,
    graceMs: fixed.spec.graceMs,
    // Not more than is written down that it has: its share may have grown since.
    ...(row.costShare === undefined
      ? {}
      : { costShare: toldShare(Math.min(row.costShare, row.heldShare ?? 0), row.rate) }),
    launchedAt: row.createdAt,
  };
}

/** The user's tags and ours. */
export function tagsOf(array: InstanceArray, row: InstanceRow, store: string): Record<string, string> {
  const { fixed, part, plan } = array;
  return allTags(
    {
      arrayId: fixed.arrayId,
      arrayName: fixed.name,
      arraySize: array.size,
      index: row.index,
      rank: row.position,
      standalone: part.standalone,
      createdAt: fixed.createdAt,
      jobId: fixed.id,
      ttl: row.ttlMs === 0 ? undefined : formatDuration(row.ttlMs),
      idleTimeout: part.idleTimeoutMs === 0 ? undefined : formatDuration(part.idleTimeoutMs),
      onComplete: part.onComplete,
      spot: row.spot,
      store,
      account: plan.dnsSuffix.split('.')[0]!,
    },
    part.tags,
  );
}

function paramsEnv({ part }: InstanceArray, { position }: InstanceRow): Record<string, string> {
  return Object.fromEntries(
    Object.entries(part.params?.[position] ?? {}).map(([name, value]) => [`PARAM_${name}`, value]),
  );
}
