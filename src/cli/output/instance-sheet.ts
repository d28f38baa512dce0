import type { InstanceView } from '../../api/instance.ts';
import { shownUsd } from '../../core/instance-cost.ts';
import { countsText } from '../../core/instance-counts.ts';
import { painter } from './color.ts';
import { isoTime, oneLine, shownDuration } from './format.ts';
import { secondsOf } from './instance-json.ts';
import { colourOfInstance } from './instance-states.ts';
import { sheet } from './sheet.ts';

type Line = readonly [string, string | undefined];

/** In which an hour costs something. */
const CHARGED: readonly InstanceView['state'][] = ['running', 'stopping', 'shutting-down'];

function sumOf(instances: readonly InstanceView[], of: (instance: InstanceView) => number): number {
  return instances.reduce((sum, instance) => sum + of(instance), 0);
}

function rateOf(instances: readonly InstanceView[]): number {
  return sumOf(instances, ({ state, rate }) => (CHARGED.includes(state) ? rate : 0));
}

/** The shortest and the longest of those that have one. */
function ttlRange(instances: readonly InstanceView[]): readonly [number, number] | undefined {
  const left = instances.flatMap(({ ttlLeftMs }) => (ttlLeftMs === undefined ? [] : [ttlLeftMs]));
  return left.length === 0 ? undefined : [Math.min(...left), Math.max(...left)];
}

/** Lines for the sheet of a job whose tasks have instances. */
export function arrayLines(instances: readonly InstanceView[]): readonly Line[] {
  if (instances.length === 0) return [];
  const rate = rateOf(instances);
  const cost = `${shownUsd(sumOf(instances, (each) => each.cost))} so far`;
  const ttl = ttlRange(instances);
  const [least, most] = (ttl ?? []).map(shownDuration);
  return [
    ['instances', countsText(instances)],
    ['cost', rate === 0 ? cost : `${cost}, ${shownUsd(rate)} an hour`],
    ['TTL left', least === most ? least : `${least} to ${most}`],
  ];
}

/** What the JSON of such a job adds; null of another one. */
export function arrayJson(instances: readonly InstanceView[] | undefined): object {
  if (instances === undefined) return { instance_states: null, cost: null, rate: null, ttl_remaining_seconds: null };
  const states: Record<string, number> = {};
  for (const { state } of instances) states[state] = (states[state] ?? 0) + 1;
  return {
    instance_states: states,
    cost: sumOf(instances, ({ cost }) => cost),
    rate: rateOf(instances),
    ttl_remaining_seconds: secondsOf(ttlRange(instances)?.[0]),
  };
}

/** One instance, as a sheet. */
export function instanceSheet(instance: InstanceView, colour: boolean): string {
  const state = painter(colour)(colourOfInstance(instance.state), instance.state);
  const why = [instance.reason, instance.message].filter((text) => text !== undefined).map(oneLine);
  const charged = CHARGED.includes(instance.state) ? `, ${shownUsd(instance.rate)} an hour` : '';
  const { ttlLeftMs, idleTimeoutMs, idleMs, cpuPercent } = instance;
  return sheet(`Instance ${oneLine(instance.name)} (${instance.id})`, [
    ['state', why.length === 0 ? state : `${state}: ${why.join(': ')}`],
    ['array', instance.standalone ? undefined : `${oneLine(instance.arrayId)}, index ${instance.index}`],
    ['type', `${oneLine(instance.type)}${instance.spot ? ' (spot)' : ''}`],
    ['zone', oneLine(instance.zone)],
    ['address', instance.publicIp ?? instance.privateIp],
    ['DNS', instance.dns],
    ['launched', isoTime(instance.launchedAt) ?? undefined],
    ['ended', isoTime(instance.endedAt) ?? undefined],
    ['TTL left', ttlLeftMs === undefined ? undefined : shownDuration(ttlLeftMs)],
    ['idle', idleTimeoutMs === 0 ? undefined : `${shownDuration(idleMs ?? 0)} of ${shownDuration(idleTimeoutMs)}`],
    ['CPU', cpuPercent === undefined ? undefined : `${Math.round(cpuPercent)}%`],
    ['cost', `${shownUsd(instance.cost)} so far${charged}`],
    ['machine', instance.generation > 1 ? `the ${ordinal(instance.generation)} of this index` : undefined],
  ]);
}

function ordinal(number: number): string {
  const last = number % 100 > 10 && number % 100 < 14 ? 0 : number % 10;
  return `${number}${['th', 'st', 'nd', 'rd'][last] ?? 'th'}`;
}
