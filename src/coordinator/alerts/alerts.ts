import type {
  AlertsQuery,
  AlertsReply,
  AlertView,
  CreateAlertRequest,
  DeliveriesQuery,
  DeliveriesReply,
  DeliveryView,
} from '../../api/alert.ts';
import { standingOf, wantedAs } from '../../core/alert-rules.ts';
import { subjectOf } from '../../core/alert-text.ts';
import { SpawnError } from '../../core/errors.ts';
import type { NumberedDelivery, StoredDelivery } from '../../store/store.ts';
import type { Ledger } from '../ledger.ts';
import type { Memory } from '../memory.ts';
import type { Caller } from '../use-cases.ts';
import type { World } from '../world.ts';
import type { Alert, DeliveryDetail } from './book.ts';
import { type AlertPorts, checkChannel, checkRule, viewChannel } from './channel.ts';
import type { AlertLoops } from './loops.ts';
import { endNotice } from './notices.ts';
import { raise } from './raise.ts';
import { isAbout } from './rules.ts';

const MOST_ALERTS = 10_000;
const MOST_OF_ONE = 1_000;
/** How long a test waits to be told what became of it. */
const TEST_MS = 25_000;

/** @throws BAD_REQUEST when this coordinator tells nobody anything */
function portsOf(ledger: Ledger): AlertPorts {
  const { alerts } = ledger.ports;
  if (alerts === undefined)
    throw new SpawnError('BAD_REQUEST', {
      where: 'alerts',
      expected: 'a coordinator with alerts',
      found: 'one without',
    });
  return alerts;
}

/** A job that the filter names and that has ended already is told of at once. */
export async function createAlert(ledger: Ledger, caller: Caller, request: CreateAlertRequest): Promise<AlertView> {
  checkRule(request, 'body');
  checkChannel(portsOf(ledger), caller, request.channel, 'body.channel', false);
  const { job } = request.filter;
  const [ended] = job === undefined ? [] : await findEnded(ledger, job);
  const bring = async () => {
    if (ended !== undefined) await ledger.bring(ended, false);
  };
  return await ledger.writeAfter(bring, (world) => {
    const { memory, now } = world;
    const { alerts, changes } = memory;
    const { owner, tenant } = caller;
    const own = [...alerts.alerts.values()].filter(({ row }) => row.owner === owner && row.tenant === tenant);
    if (own.length >= MOST_OF_ONE || alerts.alerts.size >= MOST_ALERTS) {
      const expected = `at most ${MOST_OF_ONE} of one owner, ${MOST_ALERTS} in all`;
      throw new SpawnError('CONFLICT', { what: 'alerts', expected, found: own.length });
    }
    const row = { id: alerts.nextAlert++, owner, tenant, createdAt: now, deletedAt: 0, detail: '' };
    const alert: Alert = { row, detail: request };
    alerts.saveAlert(changes, alert);
    changes.event(now, 0, 'alertCreated', { alert: row.id, by: owner, ...viewChannel(request.channel) });
    const entry = ended === undefined ? undefined : memory.jobs.get(ended);
    if (entry !== undefined) raiseEnded(world, alert, entry);
    return view(memory, alerts.alerts.get(row.id)!);
  });
}

async function findEnded({ ports }: Ledger, job: string): Promise<number[]> {
  const named = /^\d+$/.test(job) ? { ids: [Number(job)] } : { arrayId: job };
  return (await ports.store.findJobs({ live: false, limit: 1, ...named })).map(({ id }) => id);
}

function raiseEnded(world: World, alert: Alert, entry: Parameters<typeof endNotice>[0]): void {
  const { end } = standingOf(entry.job);
  const rule = world.memory.alerts.rules.find((each) => each.alert === alert.row.id)!;
  const happening = end === undefined || end === 'completed' || end === 'failed' ? end : 'cancelled';
  const event = happening === undefined ? undefined : wantedAs(rule.events, happening);
  const states = alert.detail.filter.states;
  if (event === undefined || !isAbout(rule, entry) || (states !== undefined && !states.some((state) => state === end)))
    return;
  raise(world, rule, entry.job.id, event, String(entry.job.endedAt), endNotice(entry, event, entry.job.endedAt));
}

export function listAlerts(ledger: Ledger, caller: Caller, { all, before, limit }: AlertsQuery): Promise<AlertsReply> {
  return ledger.read((memory) => {
    const wanted = [...memory.alerts.alerts.values()]
      .filter(({ row }) => (all === '1' || isOwn(row, caller)) && row.id < (before ?? Number.POSITIVE_INFINITY))
      .toSorted((a, b) => b.row.id - a.row.id);
    const alerts = wanted.slice(0, limit).map((alert) => view(memory, alert));
    return wanted.length > limit ? { alerts, next: alerts.at(-1)!.id } : { alerts };
  });
}

function isOwn(row: { readonly owner: string; readonly tenant: string }, caller: Caller): boolean {
  return row.owner === caller.owner && row.tenant === caller.tenant;
}

/** @throws ALERT_NOT_FOUND, NOT_PERMITTED */
function find(memory: Memory, caller: Caller, id: number, verb: string): Alert {
  const alert = memory.alerts.alerts.get(id);
  if (alert === undefined) throw new SpawnError('ALERT_NOT_FOUND', { ref: String(id) });
  if (caller.role === 'admin' || isOwn(alert.row, caller)) return alert;
  const why = `it belongs to ${alert.row.owner}, and the token's owner is ${caller.owner}`;
  throw new SpawnError('NOT_PERMITTED', { action: `${verb} alert ${id}`, why });
}

/** What waits to be sent for it is not sent any more. */
export function deleteAlert(ledger: Ledger, caller: Caller, id: number): Promise<AlertView> {
  return ledger.write(({ memory, now }) => {
    const alert = find(memory, caller, id, 'delete');
    const shown = view(memory, alert);
    memory.alerts.dropAlert(memory.changes, alert, now);
    for (const { row, detail } of [...memory.alerts.waiting.values()]) {
      if (row.alertId !== id) continue;
      const dropped: DeliveryDetail = { ...detail, outcome: 'dropped', reason: 'its alert was deleted' };
      memory.alerts.saveDelivery(memory.changes, { row: { ...row, nextAt: 0 }, detail: dropped });
    }
    memory.changes.event(now, 0, 'alertDeleted', { alert: id, by: caller.owner });
    return shown;
  });
}

/** Sends a message of its own; answers when it was tried, or is still being tried after a while. */
export async function testAlert(
  ledger: Ledger,
  loops: AlertLoops | undefined,
  caller: Caller,
  id: number,
): Promise<DeliveryView> {
  const made = await ledger.write((world) => {
    const { row } = find(world.memory, caller, id, 'test');
    const rule = world.memory.alerts.rules.find((each) => each.alert === row.id)!;
    const key = `${world.now}-${world.randomHex(6)}`;
    const delivery = raise(world, rule, 0, 'test', key, undefined);
    return { delivery, tried: loops?.sender.untilTried(delivery, TEST_MS) };
  });
  await made.tried;
  const [newest] = (await ledger.ports.store.findDeliveries({ alertId: id, limit: 100 })).filter(
    (row) => row.id === made.delivery,
  );
  return viewDelivery(newest!);
}

export async function listDeliveries(ledger: Ledger, caller: Caller, query: DeliveriesQuery): Promise<DeliveriesReply> {
  const { all, alert, job, before, limit } = query;
  const rows = await ledger.ports.store.findDeliveries({
    ...(alert === undefined ? {} : { alertId: alert }),
    ...(job === undefined ? {} : { jobId: job }),
    ...(all === '1' ? {} : { whose: { owner: caller.owner, tenant: caller.tenant } }),
    ...(before === undefined ? {} : { before }),
    limit: limit + 1,
  });
  const deliveries = rows.slice(0, limit).map(viewDelivery);
  return rows.length > limit ? { deliveries, next: deliveries.at(-1)!.seq } : { deliveries };
}

function viewDelivery(row: NumberedDelivery): DeliveryView {
  const detail = JSON.parse(row.detail) as DeliveryDetail;
  const { event, view: channel, notices, total, attempts, triedAt, outcome, reason } = detail;
  return {
    seq: row.seq,
    id: row.id,
    ...numbersOf(row),
    owner: row.owner,
    event,
    channel,
    subject: subjectOf(notices, total),
    events: total,
    state: outcome ?? 'waiting',
    attempts,
    createdAt: row.createdAt,
    ...(triedAt === undefined ? {} : { triedAt }),
    ...(row.nextAt === 0 ? {} : { nextAt: row.nextAt }),
    ...(reason === undefined ? {} : { reason }),
  };
}

function numbersOf({ alertId, jobId }: StoredDelivery): { alert?: number; job?: number } {
  return { ...(alertId === 0 ? {} : { alert: alertId }), ...(jobId === 0 ? {} : { job: jobId }) };
}

function view({ alerts }: Memory, { row, detail }: Alert): AlertView {
  const { name, channel, events, filter, threshold, longRunningMs, cost, maxPerHour } = detail;
  return {
    id: row.id,
    ...(name === undefined ? {} : { name }),
    owner: row.owner,
    createdAt: row.createdAt,
    channel: viewChannel(channel),
    events,
    filter,
    ...(threshold === undefined ? {} : { threshold }),
    ...(longRunningMs === undefined ? {} : { longRunningMs }),
    ...(cost === undefined ? {} : { cost }),
    maxPerHour,
    pending: [...alerts.waiting.values()].filter((one) => one.row.alertId === row.id).length,
  };
}
