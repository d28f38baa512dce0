import type { AlertEvent } from '../../api/alert.ts';
import {
  crosses,
  happenings,
  type JobHappening,
  NOTHING_YET,
  type Standing,
  wantedAs,
} from '../../core/alert-rules.ts';
import { MOST_NOTICES, type Notice } from '../../core/alert-text.ts';
import { eventText } from '../../core/event-text.ts';
import type { StoredEvent } from '../../store/store.ts';
import type { JobEntry } from '../memory.ts';
import type { World } from '../world.ts';
import type { Delivery, Rule } from './book.ts';
import { type AlertPorts, viewChannel } from './channel.ts';
import { endNotice, failedTasks, firstFailure, jobNotice, thresholdText } from './notices.ts';
import { isAbout, isOf, rulesOfSpec } from './rules.ts';

/** What alerts make of recorded events. */
const OF_EVENTS: Readonly<Record<string, AlertEvent>> = {
  instanceTtlWarning: 'instance_warning',
  instanceCostWarning: 'instance_warning',
  instanceIdleWarning: 'instance_warning',
  instanceInterruptWarning: 'instance_warning',
  instanceInterruptNotice: 'instance_warning',
  memberLost: 'instance_lost',
  memberInterrupted: 'instance_lost',
  instanceLaunchFailed: 'instance_failed',
  arrayFailed: 'instance_failed',
  costLimitNearlyUsedUp: 'budget',
  costLimitReached: 'budget',
  budgetNearlyUsedUp: 'budget',
  budgetUsedUp: 'budget',
};

/** Before a batch is closed: what it tells goes into it as messages that are to be sent, so that each is there exactly when its cause is. */
export function raiseAlerts(world: World, ports: AlertPorts | undefined): void {
  const { changes, alerts, jobs } = world.memory;
  if (ports === undefined) return;
  /** Those that have just ended, by the first job of their workflow: of several the last. */
  const endedIn = new Map<number, JobEntry>();
  for (const job of changes.jobs) {
    const { before, after } = alerts.look(job, changes.newJobs.has(job) ? NOTHING_YET : undefined);
    const entry = jobs.get(job.id);
    if (entry === undefined || isSame(before, after)) continue;
    const found = happenings(before, after);
    for (const rule of rulesFor(world, ports, entry, found)) {
      if (!isAbout(rule, entry)) continue;
      raiseOf(world, rule, entry, before, after);
    }
    const { workflow } = entry.fixed.spec;
    if (workflow === undefined || before.end !== undefined || after.end === undefined) continue;
    if ((endedIn.get(workflow.first)?.job.id ?? 0) < job.id) endedIn.set(workflow.first, entry);
  }
  for (const entry of endedIn.values()) raiseWorkflow(world, ports, entry);
  for (const event of [...changes.events]) {
    const name = OF_EVENTS[event.kind];
    if (name !== undefined) raiseEvent(world, ports, name, event);
  }
}

/** A job that only does something for another one is not told of, unless it fails: then who is told of the other is told of it. */
function rulesFor(
  { memory }: World,
  ports: AlertPorts,
  entry: JobEntry,
  found: readonly JobHappening[],
): readonly Rule[] {
  const { role } = entry.fixed.spec;
  const served = role === undefined ? entry : memory.jobs.get(role.of);
  if (role !== undefined && !found.includes('failed')) return [];
  const own = served === undefined ? [] : rulesOfSpec(served, ports);
  // Of thousands of alerts few look at every task that ends.
  return [...own, ...(found.length > 0 ? memory.alerts.rules : memory.alerts.rules.filter(looksAtTasks))];
}

function looksAtTasks({ events }: Rule): boolean {
  return events.includes('threshold') || events.includes('task_failed');
}

/** When no other job of its workflow is left, who wants to know is told of all of them: by alerts, and by the specs of jobs that end last. */
function raiseWorkflow(world: World, ports: AlertPorts, entry: JobEntry): void {
  const { memory, now } = world;
  const { first, count, name } = entry.fixed.spec.workflow!;
  for (let id = first; id < first + count; id++) {
    const other = memory.jobs.get(id)?.job;
    // One that is not here ended before.
    if (other !== undefined && other.endedAt === 0) return;
  }
  const workflow = { first, count, ...(name === undefined ? {} : { name }) };
  for (const rule of [...rulesOfSpec(entry, ports), ...memory.alerts.rules]) {
    if (!rule.events.includes('workflow_ended') || !isAbout(rule, entry)) continue;
    raise(world, rule, first, 'workflow_ended', String(now), { event: 'workflow_ended', at: now, workflow });
  }
}

function isSame(a: Standing, b: Standing): boolean {
  return (
    a.started === b.started && a.failed === b.failed && a.ended === b.ended && a.end === b.end && a.size === b.size
  );
}

function raiseOf(world: World, rule: Rule, entry: JobEntry, before: Standing, after: Standing): void {
  const { now } = world;
  const { job } = entry;
  for (const happening of happenings(before, after)) {
    const event = wantedAs(rule.events, happening);
    if (event === undefined) continue;
    const states = rule.filter?.states;
    if (states !== undefined && !states.some((state) => state === after.end)) continue;
    const notice =
      happening === 'start'
        ? jobNotice(entry, 'start', now)
        : happening === 'first_failure'
          ? { ...jobNotice(entry, 'first_failure', now), ...firstFailure(job) }
          : endNotice(entry, event, now);
    raise(world, rule, job.id, event, String(now), notice);
  }
  const { threshold } = rule;
  if (threshold !== undefined && crosses(threshold, before, after)) {
    const notice = { ...jobNotice(entry, 'threshold', now), reached: thresholdText(threshold) };
    raise(world, rule, job.id, 'threshold', String(now), notice);
  }
  if (!rule.events.includes('task_failed') || after.failed === 0) return;
  for (const { task, attempt, outcome } of failedTasks(world.memory.changes.ends.get(job.id), job)) {
    raise(world, rule, job.id, 'task_failed', `${task}-${attempt}`, {
      ...jobNotice(entry, 'task_failed', now),
      task,
      outcome,
    });
  }
}

function raiseEvent(
  world: World,
  ports: AlertPorts,
  name: AlertEvent,
  { at, jobId, kind, detail: text }: Omit<StoredEvent, 'id'>,
): void {
  const { memory } = world;
  const detail = JSON.parse(text) as Record<string, unknown>;
  const entry = memory.jobs.get(jobId);
  const whose = entry?.fixed.owner ?? String(detail.owner ?? '');
  const key = `${kind}-${String(detail.instance ?? '')}-${at}`;
  const sentence = eventText(kind, jobId, detail);
  const wanted = [...(entry === undefined ? [] : rulesOfSpec(entry, ports)), ...memory.alerts.rules].filter(
    (rule) =>
      rule.events.includes(name) &&
      (entry === undefined ? isOf(rule, whose, false) && rule.filter?.job === undefined : isAbout(rule, entry)),
  );
  for (const rule of wanted) {
    const about = entry === undefined ? {} : { job: jobNotice(entry, name, at).job! };
    raise(world, rule, jobId, name, key, { event: name, at, ...about, text: sentence });
  }
}

/**
 * Writes down that somebody is to be told. A rule that has sent as much as it may in an hour gathers what follows into one message.
 *
 * @param key tells it from what else happens to this job under this name
 */
export function raise(
  world: World,
  rule: Rule,
  jobId: number,
  event: AlertEvent | 'test',
  key: string,
  notice: Notice | undefined,
): string {
  const { memory, now } = world;
  const { alerts, changes } = memory;
  const id = `${alerts.storeId}-${rule.key}-${jobId}-${event}-${key}`;
  if (alerts.isTold(jobId, id)) return id;
  const gathering = notice === undefined ? undefined : alerts.gathering(rule.key, now);
  if (gathering !== undefined) {
    alerts.saveDelivery(changes, withMore(gathering, notice!));
    return gathering.row.id;
  }
  // A test is not kept waiting.
  const waitMs = notice === undefined ? 0 : alerts.pace(rule.key, rule.maxPerHour, now);
  const { owner, tenant, channel } = rule;
  alerts.saveDelivery(changes, {
    row: { id, alertId: rule.alert, jobId, owner, tenant, createdAt: now, nextAt: now + waitMs, detail: '' },
    detail: {
      rule: rule.key,
      event,
      ...(rule.alert === 0 ? { channel } : {}),
      view: viewChannel(channel),
      notices: notice === undefined ? [] : [notice],
      total: notice === undefined ? 0 : 1,
      attempts: 0,
    },
  });
  return id;
}

function withMore({ row, detail }: Delivery, notice: Notice): Delivery {
  const { notices, total } = detail;
  const shown = notices.length < MOST_NOTICES ? [...notices, notice] : notices;
  return { row, detail: { ...detail, notices: shown, total: total + 1 } };
}
