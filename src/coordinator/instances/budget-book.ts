import { costOf, monthStart } from '../../core/instance-cost.ts';
import type { World } from '../world.ts';
import { costSoFar, ranMsOf } from './accounts.ts';
import { ownerKey } from './book.ts';
import type { Budget } from './budget-row.ts';
import { type InstanceRow, isOver } from './row.ts';

/** From when on what is spent counts. */
export function budgetFrom(world: World, { row }: Budget): number {
  return row.period === 'month' ? monthStart(world.now) : row.setAt;
}

/** What an instance had cost before its owner's budget began to count, USD: it ran evenly until now, as far as is known. */
export function budgetBase(world: World, budget: Budget, row: InstanceRow): number {
  const from = budgetFrom(world, budget);
  if (row.createdAt >= from) return 0;
  const mark = row.marks?.find((each) => each.from === from);
  return costOf(mark?.ranMs ?? 0, row.rate);
}

/** Notes how much the instances of an owner had run when their budget began to count. Called when it is set, and when a month begins. */
export function markBudget(world: World, account: string, budget: Budget): void {
  const from = budgetFrom(world, budget);
  const book = world.memory.instances;
  for (const array of book.liveArrays) {
    if (array.account !== account) continue;
    for (const row of array.live.values()) {
      if (row.createdAt >= from || row.marks?.some((each) => each.from === from) === true) continue;
      const ranMs = row.launchedAt >= from ? 0 : ranBefore(world, row, from);
      row.marks = [{ from, ranMs }];
      book.save(world.memory.changes, row);
    }
  }
}

/** Of a time in the past: what it ran since its last change of state is known by the moment. */
function ranBefore(world: World, row: InstanceRow, from: number): number {
  return Math.max(0, ranMsOf(world, row) - Math.max(0, world.now - Math.max(from, row.launchedAt)));
}

/** USD in the period of what has ended in it. */
export function spentOfEnded(world: World, account: string, budget: Budget): number {
  const from = budgetFrom(world, budget);
  if (budget.ended?.from === from) return budget.ended.usd;
  let sum = budget.forgottenFrom === from ? budget.forgotten : 0;
  for (const array of world.memory.instances.arrays.values()) {
    if (array.account !== account) continue;
    for (const rows of array.members.values()) {
      for (const row of rows) {
        if (!isOver(row) || row.endedAt < from) continue;
        sum += spentInPeriod(world, budget, row);
      }
    }
  }
  budget.ended = { from, usd: sum };
  return sum;
}

function spentInPeriod(world: World, budget: Budget, row: InstanceRow): number {
  return Math.max(0, costOf(row.ranMs, row.rate) - budgetBase(world, budget, row));
}

/** An instance has ended: what it cost is counted once and for all. */
export function countEnded(world: World, row: InstanceRow): void {
  const budget = world.memory.instances.budgets.get(ownerKey(row));
  if (budget?.ended?.from !== undefined && row.endedAt >= budget.ended.from)
    budget.ended.usd += spentInPeriod(world, budget, row);
}

/** What an instance cost stays spent when the instance is listed no more. */
export function keepSpent(world: World, row: InstanceRow): void {
  const budget = world.memory.instances.budgets.get(ownerKey(row));
  if (budget === undefined) return;
  const from = budgetFrom(world, budget);
  if (row.endedAt < from) return;
  if (budget.forgottenFrom !== from) budget.forgotten = 0;
  budget.forgottenFrom = from;
  budget.forgotten += spentInPeriod(world, budget, row);
  saveBudget(world, budget);
}

/** It is written with the next commit. */
export function saveBudget({ memory }: World, { row, forgotten, forgottenFrom, told, toldFrom }: Budget): void {
  memory.changes.budgets.set(ownerKey(row), {
    ...row,
    detail: JSON.stringify({ forgotten, forgottenFrom, told, toldFrom }),
  });
}

/** USD in the period, of all. */
export function spentOf(world: World, account: string, budget: Budget): number {
  let sum = spentOfEnded(world, account, budget);
  for (const array of world.memory.instances.liveArrays) {
    if (array.account !== account) continue;
    for (const row of array.live.values()) sum += costSoFar(world, row) - budgetBase(world, budget, row);
  }
  return sum;
}
