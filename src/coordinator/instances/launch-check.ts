import { SpawnError } from '../../core/errors.ts';
import { IndexSet } from '../../core/index-set.ts';
import { costOf, shownUsd } from '../../core/instance-cost.ts';
import { planLaunch } from '../../core/instance-plan.ts';
import type { StoredJobFixed } from '../../store/store.ts';
import type { World } from '../world.ts';
import { ownerKey } from './book.ts';
import { spentOf } from './budget-book.ts';
import { type InstancePorts, placeOf } from './ports.ts';
import { LEAST_MS } from './shares.ts';

/**
 * Checks the launch that a job asks for, as far as the job alone tells.
 *
 * @throws BAD_REQUEST, BAD_NAME, ARRAY_TOO_LARGE; BAD_REQUEST where there are no instances at all
 */
export function checkLaunch(ports: InstancePorts | undefined, storeId: string, fixed: StoredJobFixed): void {
  const { instances } = fixed.spec;
  if (instances === undefined) return;
  if (ports === undefined) throw refused('spec.instances', 'a coordinator that can start instances', 'one that cannot');
  if (instances.provider !== ports.provider.name)
    throw refused('spec.instances.provider', ports.provider.name, instances.provider);
  const { spec, name } = fixed;
  const indices = fixed.indices === '' ? IndexSet.ofSize(1) : IndexSet.fromString(fixed.indices);
  planLaunch({ ...spec, name, instances }, indices, placeOf(ports, storeId, ownerKey(fixed), instances.region));
}

function refused(where: string, expected: string, found: string): SpawnError {
  return new SpawnError('BAD_REQUEST', { where, expected, found });
}

/**
 * Checks the launch against what lives now.
 *
 * @throws NAME_TAKEN, BUDGET_EXCEEDED
 */
export function admitLaunch(world: World, fixed: StoredJobFixed): void {
  if (fixed.spec.instances === undefined) return;
  const { memory } = world;
  const book = memory.instances;
  checkArrayName(world, fixed);
  const array = book.planOnly(fixed);
  if (book.hasNames(fixed)) {
    for (let rank = 0; rank < array.size; rank++) {
      const { name } = array.member(rank);
      const holder = book.named(fixed, name);
      if (holder === undefined) continue;
      const other = book.arrays.get(holder.jobId)!.fixed;
      throw new SpawnError('NAME_TAKEN', { what: 'instance', name, holder: `${holder.id} of ${other.arrayId}` });
    }
  }
  const budget = book.budgets.get(ownerKey(fixed));
  if (budget === undefined) return;
  const spent = spentOf(world, ownerKey(fixed), budget);
  const { amount, period } = budget.row;
  if (amount - spent < costOf(LEAST_MS, array.rate)) {
    const found = `${shownUsd(spent)} spent ${period === 'month' ? 'this month' : 'since it was set'}`;
    throw new SpawnError('BUDGET_EXCEEDED', { amount, found });
  }
}

/** A live array has its name, and the one in its DNS names, for itself: one that has ended and left machines lives. */
function checkArrayName(world: World, fixed: StoredJobFixed): void {
  const { memory } = world;
  const label = (one: StoredJobFixed) => one.spec.instances!.dns ?? one.name;
  const others: StoredJobFixed[] = [];
  for (const { job, fixed: other } of memory.jobs.values()) {
    if (other.spec.instances === undefined || ownerKey(other) !== ownerKey(fixed)) continue;
    if (job.endedAt === 0 || memory.instances.isLive(job.id)) others.push(other);
  }
  for (const other of others) {
    if (other.name === fixed.name)
      throw new SpawnError('NAME_TAKEN', { what: 'instance array', name: fixed.name, holder: other.arrayId });
    if (label(other) === label(fixed))
      throw new SpawnError('NAME_TAKEN', { what: 'DNS name', name: label(fixed), holder: other.arrayId });
  }
}
