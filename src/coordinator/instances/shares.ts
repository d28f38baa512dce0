import { type ShareMember, splitCap } from '../../core/cost-shares.ts';
import { costOf } from '../../core/instance-cost.ts';
import { TaskState } from '../../core/task-state.ts';
import type { World } from '../world.ts';
import { costSoFar } from './accounts.ts';
import { ownerKey } from './book.ts';
import { budgetBase, spentOfEnded } from './budget-book.ts';
import type { Budget } from './budget-row.ts';
import type { InstanceArray } from './instance-array.ts';
import type { InstanceRow } from './row.ts';

/** What does not pay for so much of one instance is nothing: it would end before it was up. */
export const LEAST_MS = 5_000;

/** Whether something bounds what an array may cost. */
export function isCapped(world: World, array: InstanceArray): boolean {
  return array.part.costLimit !== undefined || world.memory.instances.budgets.has(array.account);
}

/**
 * Splits what is left under an array's cost limit, and under its owner's budget, anew among those that live. A budget is one for all arrays
 * of its owner, so all of them get their shares at once.
 */
export function splitShares(world: World, array: InstanceArray): void {
  if (!array.sharesStale) return;
  array.sharesStale = false;
  const book = world.memory.instances;
  const budget = book.budgets.get(array.account);
  const sharers =
    budget === undefined ? [array] : [...book.liveArrays].filter(({ account }) => account === array.account);
  const byBudget = budget === undefined ? undefined : sharesOfBudget(world, sharers, budget);
  for (const each of sharers) {
    each.sharesStale = false;
    const byLimit = sharesOfLimit(world, each);
    for (const row of each.live.values()) setShare(world, row, byLimit?.get(row.id), byBudget?.get(row.id));
    if (each !== array) book.dirty.add(each.id);
  }
}

/** Exported for the budget that is removed: what it bounded is bounded by nothing, until it gets a share again. */
export function setShare(world: World, row: InstanceRow, limit: number | undefined, budget: number | undefined): void {
  const share = budget !== undefined && (limit === undefined || budget < limit) ? budget : limit;
  if (share === row.costShare) return;
  const { memory } = world;
  if (share === undefined) {
    delete row.costShare;
    delete row.shareOf;
    delete row.heldShare;
  } else {
    if (row.costShare === undefined && (row.launchedAt > 0 || memory.bound.has(row.id))) row.unbounded = true;
    row.costShare = share;
    row.shareOf = share === budget && share !== limit ? 'budget' : 'cost-limit';
  }
  memory.instances.save(memory.changes, row);
  memory.instances.stale.add(row);
  memory.instances.attention.add(row);
}

function sharesOfLimit(world: World, array: InstanceArray): Map<string, number> | undefined {
  const { costLimit } = array.part;
  if (costLimit === undefined) return undefined;
  const members = [...array.live.values()].map((row) => memberOf(world, row, 0));
  const laterRate = waitingMembers(world, array) * array.plan.rate;
  return splitCap({ limit: costLimit, ended: array.endedCost, members, laterRate });
}

/** Members that will want a machine and have none: something is put by for them. */
function waitingMembers(world: World, array: InstanceArray): number {
  const table = world.memory.jobs.get(array.id)?.job.table;
  if (table === undefined) return 0;
  let live = 0;
  for (const { position } of array.live.values()) if (table.state[position]! < TaskState.completed) live++;
  return Math.max(0, table.size - table.ended - live);
}

/** In amounts of a whole life, as the agents count. */
function sharesOfBudget(world: World, sharers: readonly InstanceArray[], budget: Budget): Map<string, number> {
  const rows = sharers.flatMap(({ live }) => [...live.values()]);
  const bases = new Map(rows.map((row) => [row.id, budgetBase(world, budget, row)]));
  const shares = splitCap({
    limit: budget.row.amount,
    ended: spentOfEnded(world, ownerKey(budget.row), budget),
    members: rows.map((row) => memberOf(world, row, bases.get(row.id)!)),
  });
  return new Map([...shares].map(([id, share]) => [id, share + bases.get(id)!]));
}

/** Whether it can run for a moment on its share. */
export function hasShare(world: World, row: InstanceRow): boolean {
  return row.costShare === undefined || row.costShare - costSoFar(world, row) >= costOf(LEAST_MS, row.rate);
}

/** Whether others still think to have more than their share: what they give up is to come. */
export function awaitsOthers(world: World, array: InstanceArray): boolean {
  for (const other of world.memory.instances.liveArrays) {
    if (other.account !== array.account) continue;
    for (const row of other.live.values()) if (row.costShare !== undefined && heldBy(row) > row.costShare) return true;
  }
  return false;
}

function memberOf(world: World, row: InstanceRow, base: number): ShareMember {
  const spent = Math.max(0, costSoFar(world, row) - base);
  return { id: row.id, spent, held: Math.max(spent, heldBy(row) - base), rate: row.rate };
}

/** The most that its agent may think it has, USD. A stopped one has no agent, and the next one begins with what its order says. */
function heldBy({ heldShare, unbounded, state }: InstanceRow): number {
  if (state === 'stopped') return 0;
  return unbounded === true ? Number.POSITIVE_INFINITY : (heldShare ?? 0);
}

/** A machine is about to be launched, whose agent begins with this share: written down before it is told. */
export function beginShare(world: World, row: InstanceRow): void {
  if (row.costShare === undefined) return;
  // An earlier coordinator may have launched it, and its agent may be up with the share of then.
  const mayBeUp = row.asked === true && row.launchedAt === 0;
  row.heldShare = mayBeUp ? Math.max(row.heldShare ?? 0, row.costShare) : row.costShare;
  delete row.unbounded;
  world.memory.instances.save(world.memory.changes, row);
}

/** Which cap leaves nothing for one more member; undefined: there is something. */
export function usedUp(world: World, array: InstanceArray): 'cost-limit' | 'budget' | undefined {
  const least = costOf(LEAST_MS, array.plan.rate);
  const { costLimit } = array.part;
  if (costLimit !== undefined) {
    let spent = array.endedCost;
    for (const row of array.live.values()) spent += costSoFar(world, row);
    if (costLimit - spent < least) return 'cost-limit';
  }
  const book = world.memory.instances;
  const budget = book.budgets.get(array.account);
  if (budget === undefined) return undefined;
  let spent = spentOfEnded(world, array.account, budget);
  for (const other of book.liveArrays) {
    if (other.account !== array.account) continue;
    for (const row of other.live.values()) spent += costSoFar(world, row) - budgetBase(world, budget, row);
  }
  return budget.row.amount - spent < least ? 'budget' : undefined;
}
