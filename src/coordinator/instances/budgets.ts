import type { BudgetRequest, BudgetView } from '../../api/instance-money.ts';
import { isCharged } from '../../core/instance.ts';
import type { Ledger } from '../ledger.ts';
import type { Caller } from '../use-cases.ts';
import type { World } from '../world.ts';
import { type Budget, ownerKey } from './book.ts';
import { markBudget, spentOf } from './budget-book.ts';
import type { InstanceRow } from './row.ts';

/** The budget of the caller, and what was spent of it. */
export function readBudget(ledger: Ledger, caller: Caller): Promise<BudgetView> {
  return ledger.read(() => viewBudget(ledger.world, caller));
}

/** Sets it, or removes it; what runs gets its share of it at once. */
export function setBudget(ledger: Ledger, caller: Caller, request: BudgetRequest): Promise<BudgetView> {
  return ledger.write((world) => {
    const { memory, now } = world;
    const account = ownerKey(caller);
    const book = memory.instances;
    const { owner, tenant } = caller;
    const { amount, period } = request;
    const row = { owner, tenant, amount: amount ?? -1, period, setAt: now, detail: '{}' };
    memory.changes.budgets.set(account, row);
    book.restoreBudget(row);
    const budget = book.budgets.get(account);
    if (budget !== undefined) markBudget(world, account, budget);
    for (const array of book.arrays.values()) {
      if (array.account !== account || array.live.size === 0) continue;
      array.sharesStale = true;
      book.dirty.add(array.id);
      if (budget === undefined) dropShares(world, array.live.values());
    }
    memory.changes.event(now, 0, 'budgetSet', { owner, amount, period });
    return viewBudget(world, caller);
  });
}

/** Of instances whose array has no limit of its own; the others get theirs anew. */
function dropShares(world: World, rows: Iterable<InstanceRow>): void {
  const book = world.memory.instances;
  for (const row of rows) {
    if (row.costShare === undefined) continue;
    delete row.costShare;
    delete row.shareOf;
    delete row.heldShare;
    book.save(world.memory.changes, row);
    book.stale.add(row);
  }
}

function viewBudget(world: World, { owner, tenant }: Caller): BudgetView {
  const book = world.memory.instances;
  const account = ownerKey({ owner, tenant });
  const known = book.budgets.get(account);
  const none = { owner, tenant, amount: -1, period: 'month', setAt: 0, detail: '{}' };
  const budget: Budget = known ?? { row: none, forgotten: 0, forgottenFrom: 0, told: 0 };
  let rate = 0;
  for (const array of book.arrays.values()) {
    if (array.account !== account) continue;
    for (const row of array.live.values()) if (isCharged(row.state)) rate += row.rate;
  }
  return {
    owner,
    period: budget.row.period === 'total' ? 'total' : 'month',
    spent: spentOf(world, account, budget),
    rate,
    ...(known === undefined ? {} : { amount: known.row.amount, setAt: known.row.setAt }),
  };
}

/** Told once each when a budget reaches 80 % and 100 %; also gives every month its own beginning. */
export async function followBudgets(ledger: Ledger): Promise<void> {
  const { world } = ledger;
  const book = world.memory.instances;
  for (const [account, budget] of book.budgets) {
    const share = budget.row.amount === 0 ? 1 : spentOf(world, account, budget) / budget.row.amount;
    const step = share >= 0.999 ? 2 : share >= 0.8 ? 1 : 0;
    if (step < budget.told) budget.told = step;
    if (step === budget.told) continue;
    budget.told = step;
    const { owner, amount, period } = budget.row;
    await ledger.write(({ memory, now }) => {
      const spent = spentOf(ledger.world, account, budget);
      const detail = { owner, amount, period, spent };
      if (step === 2) memory.changes.event(now, 0, 'budgetUsedUp', detail);
      else memory.changes.event(now, 0, 'budgetNearlyUsedUp', detail);
    });
  }
}
