import { type ShareMember, splitCap } from '../../core/cost-shares.ts';
import { costOf } from '../../core/instance-cost.ts';
import type { World } from '../world.ts';
import { costSoFar } from './accounts.ts';
import { budgetBase, spentOfEnded } from './budget-book.ts';
import type { InstanceArray } from './instance-array.ts';
import type { InstanceRow } from './row.ts';

/** A share that ends it sooner than this is none: what is left is about to be freed, or there is nothing. */
const LEAST_MS = 1_000;

/** Whether something bounds what an array may cost. */
export function isCapped(world: World, array: InstanceArray): boolean {
  return array.part.costLimit !== undefined || world.memory.instances.budgets.has(array.account);
}

/**
 * Splits what is left under the array's cost limit, and under its owner's budget, anew among those that live. `later`: rate of members that
 * are still to be launched.
 */
export function splitShares(world: World, array: InstanceArray, later: number): void {
  if (!array.sharesStale) return;
  array.sharesStale = false;
  const byLimit = sharesOfLimit(world, array, later);
  const byBudget = sharesOfBudget(world, array);
  for (const row of array.live.values()) setShare(world, row, byLimit?.get(row.id), byBudget?.get(row.id));
}

function setShare(world: World, row: InstanceRow, limit: number | undefined, budget: number | undefined): void {
  const share = budget !== undefined && (limit === undefined || budget < limit) ? budget : limit;
  if (share === row.costShare) return;
  const { memory } = world;
  if (share === undefined) {
    delete row.costShare;
    delete row.shareOf;
    delete row.heldShare;
  } else {
    row.costShare = share;
    row.shareOf = share === budget && share !== limit ? 'budget' : 'cost-limit';
  }
  memory.instances.save(memory.changes, row);
  memory.instances.stale.add(row);
  memory.instances.attention.add(row);
}

function sharesOfLimit(world: World, array: InstanceArray, later: number): Map<string, number> | undefined {
  const { costLimit } = array.part;
  if (costLimit === undefined) return undefined;
  const members = [...array.live.values()].map((row) => memberOf(world, row, 0));
  return splitCap({ limit: costLimit, ended: array.spentByEnded(), members, laterRate: later });
}

/** In amounts of a whole life, as the agents count. */
function sharesOfBudget(world: World, array: InstanceArray): Map<string, number> | undefined {
  const book = world.memory.instances;
  const budget = book.budgets.get(array.account);
  if (budget === undefined) return undefined;
  const rows = [...book.arrays.values()].flatMap((other) =>
    other.account === array.account ? [...other.live.values()] : [],
  );
  const bases = new Map(rows.map((row) => [row.id, budgetBase(world, budget, row)]));
  const shares = splitCap({
    limit: budget.row.amount,
    ended: spentOfEnded(world, array.account, budget),
    members: rows.map((row) => memberOf(world, row, bases.get(row.id)!)),
  });
  return new Map([...shares].map(([id, share]) => [id, share + bases.get(id)!]));
}

function memberOf(world: World, row: InstanceRow, base: number): ShareMember {
  const spent = Math.max(0, costSoFar(world, row) - base);
  return { id: row.id, spent, held: Math.max(spent, (row.heldShare ?? 0) - base), rate: row.rate };
}

/** Which cap leaves nothing for one more member; undefined: there is something. */
export function usedUp(world: World, array: InstanceArray): 'cost-limit' | 'budget' | undefined {
  const least = costOf(LEAST_MS, array.plan.rate);
  const { costLimit } = array.part;
  if (costLimit !== undefined) {
    let spent = array.spentByEnded();
    for (const row of array.live.values()) spent += costSoFar(world, row);
    if (costLimit - spent < least) return 'cost-limit';
  }
  const book = world.memory.instances;
  const budget = book.budgets.get(array.account);
  if (budget === undefined) return undefined;
  let spent = spentOfEnded(world, array.account, budget);
  for (const other of book.arrays.values()) {
    if (other.account !== array.account) continue;
    for (const row of other.live.values()) spent += costSoFar(world, row) - budgetBase(world, budget, row);
  }
  return budget.row.amount - spent < least ? 'budget' : undefined;
}
