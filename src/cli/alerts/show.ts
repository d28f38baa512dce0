import type { AlertFilter, AlertThreshold, AlertView, DeliveryView } from '../../api/alert.ts';
import { shownUsd } from '../../core/instance-cost.ts';
import { counted, isoTime, oneLine, shownDuration } from '../output/format.ts';
import type { Column } from '../output/table.ts';

export const ALERT_COLUMNS: readonly Column<AlertView>[] = [
  { title: 'ID', right: true, value: ({ id }) => String(id) },
  { title: 'NAME', value: ({ name }) => oneLine(name ?? '') },
  { title: 'OWNER', value: ({ owner }) => owner },
  { title: 'CHANNEL', value: ({ channel }) => channel.kind },
  { title: 'TO', value: ({ channel }) => oneLine(channel.target) },
  { title: 'EVENTS', value: eventsText },
  { title: 'OF', value: ({ filter }) => oneLine(filterText(filter)) },
  { title: 'WAITING', right: true, value: ({ pending }) => String(pending) },
];

export const DELIVERY_COLUMNS: readonly Column<DeliveryView>[] = [
  { title: 'TIME', value: ({ createdAt }) => isoTime(createdAt)! },
  { title: 'ALERT', value: ({ alert }) => (alert === undefined ? '-' : String(alert)) },
  { title: 'JOB', value: ({ job }) => (job === undefined ? '-' : String(job)) },
  { title: 'EVENT', value: ({ event }) => event },
  { title: 'TO', value: ({ channel }) => oneLine(channel.target) },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'TRIES', right: true, value: ({ attempts }) => String(attempts) },
  {
    title: 'MESSAGE',
    value: ({ subject, reason }) => oneLine(reason === undefined ? subject : `${subject}: ${reason}`),
  },
];

/** `slack to https://hooks.slack.com/…`. */
export function channelText({ channel }: Pick<AlertView, 'channel'>): string {
  return `${channel.kind} to ${oneLine(channel.target)}`;
}

/** `ended, threshold (10 failed tasks)`. */
export function eventsText({ events, threshold, longRunningMs, cost }: AlertView): string {
  const more: Readonly<Record<string, string | undefined>> = {
    threshold: threshold === undefined ? undefined : thresholdText(threshold),
    long_running: longRunningMs === undefined ? undefined : shownDuration(longRunningMs),
    cost: cost === undefined ? undefined : `${shownUsd(cost.amount)} ${cost.period === 'month' ? 'a month' : 'in all'}`,
  };
  return events.map((event) => (more[event] === undefined ? event : `${event} (${more[event]})`)).join(', ');
}

function thresholdText(threshold: AlertThreshold): string {
  if ('failures' in threshold) return counted(threshold.failures, 'failed task');
  return 'failedPart' in threshold ? `${threshold.failedPart * 100} % failed` : `${threshold.progress * 100} % done`;
}

function filterText({ job, workflow, name, owner, states }: AlertFilter): string {
  const parts = [
    ...(job === undefined ? [] : [`job=${job}`]),
    ...(workflow === undefined ? [] : [`workflow=${workflow}`]),
    ...(name === undefined ? [] : [`name=${name}`]),
    ...(owner === undefined ? [] : [`owner=${owner}`]),
    ...(states === undefined ? [] : [`state=${states.join(',')}`]),
  ];
  return parts.length === 0 ? 'own jobs' : parts.join(' ');
}

/** What became of a message, in a sentence. */
export function deliveryText({ state, channel, reason, attempts, nextAt }: DeliveryView, now: number): string {
  const to = `${channel.kind} to ${oneLine(channel.target)}`;
  const why = reason === undefined ? '' : `: ${oneLine(reason)}`;
  switch (state) {
    case 'delivered':
      return `delivered: ${to}${why}`;
    case 'failed':
    case 'dropped':
      return `not delivered after ${counted(attempts, 'attempt')}: ${to}${why}`;
    case 'waiting':
      return `not delivered yet: ${to}${why}; tried again ${nextAt === undefined || nextAt <= now ? 'now' : `in ${shownDuration(nextAt - now)}`}`;
  }
}

export function alertJson(view: AlertView): Record<string, unknown> {
  const { id, name, owner, createdAt, channel, events, filter, threshold, longRunningMs, cost, maxPerHour, pending } =
    view;
  return {
    id,
    name: name ?? null,
    owner,
    created_at: isoTime(createdAt),
    channel: channel.kind,
    target: channel.target,
    signed: channel.signed ?? null,
    events,
    filter,
    threshold: threshold ?? null,
    long_running_ms: longRunningMs ?? null,
    cost: cost ?? null,
    max_per_hour: maxPerHour,
    waiting: pending,
  };
}

export function deliveryJson(view: DeliveryView): Record<string, unknown> {
  return {
    id: view.id,
    alert: view.alert ?? null,
    job: view.job ?? null,
    owner: view.owner,
    event: view.event,
    events: view.events,
    channel: view.channel.kind,
    target: view.channel.target,
    subject: view.subject,
    state: view.state,
    attempts: view.attempts,
    created_at: isoTime(view.createdAt),
    tried_at: isoTime(view.triedAt),
    next_at: isoTime(view.nextAt),
    reason: view.reason ?? null,
  };
}
