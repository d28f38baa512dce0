import type { BudgetRequest, BudgetView } from '../../api/instance-money.ts';
import { isCharged } from '../../core/instance.ts';
import type { Ledger } from '../ledger.ts';
import type { Caller } from '../use-cases.ts';
import type { World } from '../world.ts';
import { ownerKey } from './book.ts';
import { budgetFrom, markBudget, spentOf } from './budget-book.ts';
import type { Budget } from './budget-row.ts';
import { budgetStep, isNews, limitStep, tellBudget, tellLimit } from './cost-events.ts';
import { setShare } from './shares.ts';

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
    const before = book.budgets.get(account);
    // What was spent this month was spent, whatever the amount is from now on.
    const detail = period === 'month' && before?.row.period === 'month' ? forgottenIn(before) : '{}';
    const row = { owner, tenant, amount: amount ?? -1, period, setAt: now, detail };
    memory.changes.budgets.set(account, row);
    book.restoreBudget(row);
    const budget = book.budgets.get(account);
    if (budget !== undefined) markBudget(world, account, budget);
    for (const array of book.liveArrays) {
      if (array.account !== account) continue;
      array.sharesStale = true;
      book.dirty.add(array.id);
      // Those whose array has a limit of its own get their shares anew.
      if (budget !== undefined || array.part.costLimit !== undefined) continue;
      for (const row of array.live.values()) setShare(world, row, undefined, undefined);
    }
    memory.changes.event(now, 0, 'budgetSet', { owner, amount, period });
    return viewBudget(world, caller);
  });
}

function forgottenIn({ forgotten, forgottenFrom }: Budget): string {
  return JSON.stringify({ forgotten, forgottenFrom });
}

function viewBudget(world: World, { owner, tenant }: Caller): BudgetView {
  const book = world.memory.instances;
  const account = ownerKey({ owner, tenant });
  const known = book.budgets.get(account);
  const none = { owner, tenant, amount: -1, period: 'month', setAt: 0, detail: '{}' };
  const budget: Budget = known ?? { row: none, forgotten: 0, forgottenFrom: 0, told: 0 };
  let rate = 0;
  for (const array of book.liveArrays) {
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

/** What ran before it costs nothing of this month's: all get their shares anew. */
async function beginPeriod(ledger: Ledger, account: string): Promise<void> {
  if (!ledger.writable) return;
  await ledger.write((world) => {
    const book = world.memory.instances;
    const budget = book.budgets.get(account);
    if (budget === undefined) return;
    markBudget(world, account, budget);
    budget.markedFrom = budgetFrom(world, budget);
    for (const array of book.liveArrays) {
      if (array.account !== account) continue;
      array.sharesStale = true;
      book.dirty.add(array.id);
    }
  });
}

/** Told once each when a budget, or the cost limit of an array, is nearly used up or used up; also gives every month its own beginning. */
export async function followBudgets(ledger: Ledger): Promise<void> {
  const { world } = ledger;
  const book = world.memory.instances;
  for (const [account, budget] of book.budgets) {
    if (budget.markedFrom !== budgetFrom(world, budget)) await beginPeriod(ledger, account);
    if (!ledger.writable || !isNews(world, budget, budgetStep(world, account, budget))) continue;
    await ledger.write((live) => {
      const known = live.memory.instances.budgets.get(account);
      if (known !== undefined) tellBudget(live, account, known, budgetStep(live, account, known));
    });
  }
  for (const array of book.liveArrays) {
    if (!ledger.writable || limitStep(world, array) <= array.told) continue;
    await ledger.write((live) => {
      const known = live.memory.instances.arrays.get(array.id);
      if (known !== undefined) tellLimit(live, known, limitStep(live, known));
    });
  }
}
