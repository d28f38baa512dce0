import type { World } from '../world.ts';
import type { InstanceArray } from './instance-array.ts';
import { type InstanceRow, noFacts } from './row.ts';

/** Digits of an instance id. */
const ID_DIGITS = 17;

/** Another machine for a member: it is launched once the row is durable. */
export function makeRow(world: World, array: InstanceArray, position: number): InstanceRow {
  const { memory, now } = world;
  const book = memory.instances;
  const { plan, part, fixed } = array;
  const { index, name, zone } = plan.member(position);
  const before = array.newest(position);
  const lostBefore = before?.reason === 'lost' || before?.reason === 'interrupted';
  const row: InstanceRow = {
    id: `i-${book.setup!.randomHex(ID_DIGITS)}`,
    jobId: fixed.id,
    position,
    generation: (before?.generation ?? 0) + 1,
    owner: fixed.owner,
    tenant: fixed.tenant,
    createdAt: now,
    endedAt: 0,
    name,
    index,
    provider: book.ports!.provider.name,
    state: 'pending',
    wanted: 'running',
    region: part.region,
    zone,
    address: book.freeAddress(part.region, zone) ?? '',
    spot: part.spot,
    rate: plan.rate,
    onDemandRate: plan.rates.onDemand,
    spotRate: plan.rates.spot,
    launchedAt: 0,
    ranMs: 0,
    ranAt: now,
    ttlMs: part.ttlMs,
    ttlLeftMs: part.ttlMs,
    ttlAt: now,
    losses: lostBefore ? before.losses + 1 : 0,
    barrier: array.barrier,
    ranBefore: before !== undefined && (before.launchedAt > 0 || before.ranBefore),
    interruptAt: 0,
    task: '',
    live: noFacts(),
  };
  book.add(row, fixed);
  book.save(memory.changes, row);
  return row;
}
