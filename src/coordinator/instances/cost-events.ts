import type { World } from '../world.ts';
import { costSoFar } from './accounts.ts';
import { ownerKey } from './book.ts';
import { budgetFrom, saveBudget, spentOf } from './budget-book.ts';
import type { Budget } from './budget-row.ts';
import type { InstanceArray } from './instance-array.ts';
import type { InstanceRow } from './row.ts';

/** What was told of a cap: it is nearly used up, or used up. Each once, for a budget once a month. */
export const TOLD = { nothing: 0, near: 1, used: 2 } as const;
/** Nearly: this part of it. */
const NEAR = 0.8;
const USED = 0.999;

/** An instance has ended because there was nothing left for it. What its cap pays for its end may be left of that. */
export function tellUsedUp(world: World, row: InstanceRow): void {
  if (row.reason === 'cost-limit') tellLimit(world, world.memory.instances.arrays.get(row.jobId)!, TOLD.used);
  const budget = row.reason === 'budget' ? world.memory.instances.budgets.get(ownerKey(row)) : undefined;
  if (budget !== undefined) tellBudget(world, ownerKey(row), budget, TOLD.used);
}

/** USD of all machines that an array has had. */
function spentOfArray(world: World, array: InstanceArray): number {
  let sum = array.endedCost;
  for (const row of array.live.values()) sum += costSoFar(world, row);
  return sum;
}

/** What is to be told of an array's cost limit now. */
export function limitStep(world: World, array: InstanceArray): number {
  const { costLimit } = array.part;
  return costLimit !== undefined && spentOfArray(world, array) >= costLimit * NEAR ? TOLD.near : TOLD.nothing;
}

/** Tells it, unless that or more was told. */
export function tellLimit(world: World, array: InstanceArray, step: number): void {
  if (array.told >= step) return;
  array.told = step;
  const { memory, now } = world;
  // Any row will do, as long as one keeps it.
  const keeper = array.live.values().next().value ?? array.anyRow();
  if (keeper !== undefined) {
    keeper.told = step;
    memory.instances.save(memory.changes, keeper);
  }
  const detail = { by: 'cost-limit', limit: array.part.costLimit, spent: spentOfArray(world, array) };
  if (step === TOLD.used) memory.changes.event(now, array.id, 'costLimitReached', detail);
  else memory.changes.event(now, array.id, 'costLimitNearlyUsedUp', detail);
}

/** What is to be told of a budget now. */
export function budgetStep(world: World, account: string, budget: Budget): number {
  const { amount } = budget.row;
  const part = amount === 0 ? 1 : spentOf(world, account, budget) / amount;
  return part >= USED ? TOLD.used : part >= NEAR ? TOLD.near : TOLD.nothing;
}

/** Whether more was told of it than what was told in this period. */
export function isNews(world: World, budget: Budget, step: number): boolean {
  return step > (budget.toldFrom === budgetFrom(world, budget) ? budget.told : TOLD.nothing);
}

export function tellBudget(world: World, account: string, budget: Budget, step: number): void {
  if (!isNews(world, budget, step)) return;
  budget.told = step;
  budget.toldFrom = budgetFrom(world, budget);
  saveBudget(world, budget);
  const { owner, amount, period } = budget.row;
  const detail = { owner, amount, period, spent: spentOf(world, account, budget) };
  const { memory, now } = world;
  if (step === TOLD.used) memory.changes.event(now, 0, 'budgetUsedUp', detail);
  else memory.changes.event(now, 0, 'budgetNearlyUsedUp', detail);
}
