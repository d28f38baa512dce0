import { monthOf, monthStart } from '../../core/instance-cost.ts';
import { spentOf } from '../instances/spent.ts';
import type { Ledger } from '../ledger.ts';
import type { World } from '../world.ts';
import type { Alert, Rule } from './book.ts';
import { jobNotice } from './notices.ts';
import { raise } from './raise.ts';
import { isAbout, rulesOfSpec } from './rules.ts';

const FORGET_AFTER_MS = 30 * 86_400_000;
const FORGOTTEN_AT_ONCE = 5_000;

/** Tells of what comes by time alone: jobs that run long, and money. */
export async function watchAlerts(ledger: Ledger): Promise<void> {
  if (!ledger.writable) return;
  const { world } = ledger;
  const { alerts, jobs } = world.memory;
  alerts.forgetJobs((jobId) => jobs.has(jobId));
  if (longRunners(world, ledger).length > 0) await ledger.write((live) => tellLong(live, ledger));
  for (const { row } of [...alerts.alerts.values()]) {
    if (costReached(world, row.id) !== undefined) await ledger.write((live) => tellCost(live, row.id));
  }
}

/** Removes what was told long ago from the history. */
export async function forgetDeliveries(ledger: Ledger): Promise<void> {
  if (!ledger.writable) return;
  await ledger.write(({ memory, now }) => {
    memory.changes.forgottenDeliveries = { before: now - FORGET_AFTER_MS, count: FORGOTTEN_AT_ONCE };
  });
}

interface Long {
  readonly rule: Rule;
  readonly jobId: number;
  readonly key: string;
}

function longRunners(world: World, { ports }: Ledger): Long[] {
  const { memory, now } = world;
  const ofAlerts = memory.alerts.rules.filter(({ longRunningMs }) => longRunningMs !== undefined);
  const found: Long[] = [];
  for (const entry of memory.jobs.values()) {
    const { job, fixed } = entry;
    if (job.startedAt === 0 || job.endedAt !== 0) continue;
    const own = fixed.spec.notify === undefined ? [] : rulesOfSpec(entry, ports.alerts);
    for (const rule of [...own, ...ofAlerts]) {
      if (rule.longRunningMs === undefined || now - job.startedAt < rule.longRunningMs || !isAbout(rule, entry))
        continue;
      const key = String(job.startedAt);
      const id = `${memory.alerts.storeId}-${rule.key}-${job.id}-long_running-${key}`;
      if (!memory.alerts.isTold(job.id, id)) found.push({ rule, jobId: job.id, key });
    }
  }
  return found;
}

function tellLong(world: World, ledger: Ledger): void {
  for (const { rule, jobId, key } of longRunners(world, ledger)) {
    raise(world, rule, jobId, 'long_running', key, jobNotice(world.memory.jobs.get(jobId)!, 'long_running', world.now));
  }
}

/** What was spent, once that is more than the alert allows and was not told. */
function costReached(
  world: World,
  id: number,
): { alert: Alert; spent: number; period: string; of: string } | undefined {
  const alert = world.memory.alerts.alerts.get(id);
  const cost = alert?.detail.cost;
  if (alert === undefined || cost === undefined) return undefined;
  const period = cost.period === 'month' ? monthOf(world.now) : 'total';
  if (alert.detail.told === period) return undefined;
  const { job, owner = alert.row.owner } = alert.detail.filter;
  const { tenant } = alert.row;
  const spent = spentOf(
    world,
    ({ fixed }) =>
      fixed.tenant === tenant &&
      (job === undefined ? owner === '*' || fixed.owner === owner : job === fixed.arrayId || job === String(fixed.id)),
    cost.period === 'month' ? monthStart(world.now) : 0,
  );
  return spent < cost.amount
    ? undefined
    : {
        alert,
        spent,
        period,
        of: job !== undefined ? `job ${job}` : owner === '*' ? 'what everybody runs' : `what ${owner} runs`,
      };
}

function tellCost(world: World, id: number): void {
  const reached = costReached(world, id);
  if (reached === undefined) return;
  const { alert, spent, period, of } = reached;
  const { memory, now } = world;
  const { amount } = alert.detail.cost!;
  raise(world, memory.alerts.rules.find((rule) => rule.alert === alert.row.id)!, 0, 'cost', `${amount}-${period}`, {
    event: 'cost',
    at: now,
    cost: { spent, amount, of },
  });
  memory.alerts.saveAlert(memory.changes, { row: alert.row, detail: { ...alert.detail, told: period } });
}
