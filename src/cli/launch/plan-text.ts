import type { JobSpecInput, RunSpec } from '../../api/job-spec.ts';
import { formatDuration } from '../../core/duration.ts';
import { shownUsd } from '../../core/instance-cost.ts';
import { estimateText, spotText } from '../../core/instance-estimate.ts';
import type { LaunchPlan } from '../../core/instance-plan.ts';
import { PRICES_OF } from '../../core/instance-prices.ts';
import { counted, cut, oneLine, shownBytes } from '../output/format.ts';
import type { LaunchSpecs } from './spec-of-launch.ts';

const COMMAND_WIDTH = 70;
const ACTIONS = { stop: 'stopped', hibernate: 'hibernated', terminate: 'terminated' } as const;

/** `compute-0 … compute-7`. */
function namesText(plan: LaunchPlan): string {
  const [first, last] = [plan.member(0).name, plan.member(plan.size - 1).name];
  if (plan.size === 1) return first;
  return plan.size === 2 ? `${first}, ${last}` : `${first} … ${last}`;
}

/** `m7i.large (2 vCPUs, 8.0G)`. */
export function typeText({ type }: LaunchPlan): string {
  const gpus = type.gpus === 0 ? '' : `, ${counted(type.gpus, 'GPU')}`;
  return `${type.name} (${counted(type.vcpus, 'vCPU')}, ${shownBytes(type.memoryBytes)} of memory${gpus})`;
}

/** What a launch would do, and what it would cost. */
export function planText({ plan, instances, spec, run, userData }: LaunchSpecs, notes: readonly string[]): string {
  const { estimate } = plan;
  const zones = [...new Set(Array.from({ length: Math.min(plan.size, 3) }, (_, rank) => plan.member(rank).zone))];
  const heading = `Plan: ${plan.standalone ? '1 instance' : counted(plan.size, 'instance')} of ${plan.type.name}; nothing is launched`;
  const what: readonly (readonly [string, string | undefined])[] = [
    ['Name', plan.name],
    ['Instances', plan.standalone ? undefined : namesText(plan)],
    ['Type', `${typeText(plan)}${plan.spot ? ', spot' : ''}`],
    ['Region', `${plan.region} (${zones.join(', ')})`],
    ['At once', atOnce(spec, plan.size)],
    ['Runs', runText(run, userData !== undefined)],
    ['TTL', instances.ttlMs ? `${formatDuration(instances.ttlMs)}, then terminated` : 'none'],
    ['Idle', idleText(instances)],
    ['On completion', instances.onComplete ?? 'none'],
    ['DNS', dnsText(plan, instances.dns)],
  ];
  const cost: typeof what = [
    ['Estimated cost', estimateText(estimate)],
    ['Spot cost', spotText(estimate)],
    ['Cost limit', estimate.limit === undefined ? undefined : shownUsd(estimate.limit)],
    ['Prices of', PRICES_OF],
  ];
  const width = Math.max(...[...what, ...cost].map(([name]) => name.length));
  const lines = (rows: typeof what) =>
    rows.flatMap(([name, value]) => (value === undefined ? [] : [`  ${name.padEnd(width)}  ${value}\n`])).join('');
  const said = notes.length === 0 ? '' : `\nNotes\n${notes.map((note) => `  ${note}\n`).join('')}`;
  return `${heading}\n\n${lines(what)}\n${lines(cost)}${said}`;
}

function atOnce({ throttle, canary }: LaunchSpecs['spec'], size: number): string | undefined {
  const first = canary && canary < size ? `${canary} first, to their end` : undefined;
  const most = throttle && throttle < size ? `at most ${throttle}` : undefined;
  return [most, first].filter((part) => part !== undefined).join('; ') || undefined;
}

function runText(run: RunSpec, userData: boolean): string {
  const first = userData ? 'user-data, then ' : '';
  if (run.kind === 'signal') return `${first}until spored complete is called inside`;
  const words = wordsOf(run);
  return first + cut(oneLine(words.replace(/\s+/g, ' ').trim()), COMMAND_WIDTH);
}

function wordsOf(run: Exclude<RunSpec, { kind: 'signal' }>): string {
  switch (run.kind) {
    case 'argv':
      return run.argv.join(' ');
    case 'shell':
      return run.text;
    case 'script':
      return run.name;
    case 'handler':
      return `${run.module}#${run.export}`;
  }
}

function idleText({
  idleTimeoutMs,
  idleCpuPercent = 5,
  onIdle = 'stop',
}: NonNullable<JobSpecInput['instances']>): string | undefined {
  if (!idleTimeoutMs) return undefined;
  return `after ${formatDuration(idleTimeoutMs)} below ${idleCpuPercent}% of a CPU: ${ACTIONS[onIdle]}`;
}

/** What comes after the label is known to the coordinator. */
function dnsText(plan: LaunchPlan, dns: string | undefined): string {
  const label = dns ?? plan.name;
  return plan.standalone ? label : `${label}-INDEX for each, ${label} for all`;
}
