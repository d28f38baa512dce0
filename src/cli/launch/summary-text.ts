import type { InstanceView } from '../../api/instance.ts';
import type { JobView } from '../../api/job.ts';
import { formatDuration } from '../../core/duration.ts';
import { estimateText, spotText } from '../../core/instance-estimate.ts';
import type { LaunchPlan } from '../../core/instance-plan.ts';
import { type Paint, painter } from '../output/color.ts';
import { oneLine, shownCount } from '../output/format.ts';
import { colourOfInstance } from '../output/instance-states.ts';
import { typeText } from './plan-text.ts';
import { isPutOff } from './put-off.ts';

/** More members than this are folded where a person reads: the first ten, and the last three. */
const MOST_SHOWN = 20;
const FIRST_SHOWN = 10;
const LAST_SHOWN = 3;

export interface Summary {
  readonly job: JobView;
  readonly plan: LaunchPlan;
  readonly ttlMs: number;
  /** Ordered by index; what is not there yet is shown as pending. */
  readonly instances: readonly InstanceView[];
  /** Why those that are not there never will be. */
  readonly never?: string | undefined;
}

/** What was launched, how to look after it, and what it costs. */
export function summaryText(
  { job, plan, ttlMs, instances, never }: Summary,
  { colour, isTTY }: { readonly colour: boolean; readonly isTTY: boolean },
): string {
  const paint = painter(colour);
  const facts = aligned([
    ...(plan.standalone ? [] : [['Array Size', shownCount(plan.size)] as const]),
    ['Instance Type', `${typeText(plan)}${plan.spot ? ', spot' : ''}`],
    ['TTL', ttlMs > 0 ? formatDuration(ttlMs) : 'none'],
  ]);
  const ids = aligned([
    [plan.standalone ? 'Launch ID' : 'Array ID', job.arrayId],
    ['Job', String(job.id)],
  ]);
  const costs = aligned([
    ['Estimated cost', estimateText(plan.estimate)],
    ['Spot cost', spotText(plan.estimate)],
  ]);
  const members = memberLines(plan, instances, never, paint, isTTY);
  const heading = plan.standalone ? 'Instance' : 'Instances';
  const monitor = monitorLines(job, plan).map((line) => `  ${line}\n`);
  return `${facts}\n${heading}:\n${members.join('')}\n${ids}\nMonitor:\n${monitor.join('')}\n${costs}`;
}

function aligned(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 1;
  return rows.map(([name, value]) => `${`${name}:`.padEnd(width)}  ${value}\n`).join('');
}

function memberLines(
  plan: LaunchPlan,
  instances: readonly InstanceView[],
  never: string | undefined,
  paint: Paint,
  folds: boolean,
): string[] {
  const byIndex = new Map(instances.map((instance) => [instance.index, instance]));
  const line = (rank: number): readonly [string, string] => {
    const { index, name } = plan.member(rank);
    const found = byIndex.get(index);
    if (found === undefined && never !== undefined) return [name, `- ${paint('red', `(not started: ${never})`)}`];
    if (found === undefined) return [name, `- ${paint('yellow', '(pending)')}`];
    const why =
      found.reason === undefined ? '' : `: ${found.reason}${found.message ? `, ${oneLine(found.message)}` : ''}`;
    return [found.name, `${found.id} ${paint(colourOfInstance(found.state), `(${found.state}${why})`)}`];
  };
  const ranks = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => line(from + at));
  const folded = folds && plan.size > MOST_SHOWN;
  const first = ranks(0, folded ? FIRST_SHOWN : plan.size);
  const last = folded ? ranks(plan.size - LAST_SHOWN, plan.size) : [];
  const width = [...first, ...last].reduce((most, [name]) => Math.max(most, name.length), 0);
  const show = ([name, rest]: readonly [string, string]) => `  ${name.padEnd(width)} → ${rest}\n`;
  const gap = folded ? [`  … ${shownCount(plan.size - FIRST_SHOWN - LAST_SHOWN)} more\n`] : [];
  return [...first.map(show), ...gap, ...last.map(show)];
}

function monitorLines(job: JobView, plan: LaunchPlan): string[] {
  if (isPutOff(job)) return [`spawn why ${job.id}`, `spawn watch ${job.id}`, `spawn cancel ${job.id}`];
  const first = plan.member(0).name;
  if (plan.standalone)
    return ['spawn list', `spawn connect ${first}`, `spawn logs ${job.id}`, `spawn terminate ${first}`];
  return [
    `spawn list --job-array-id ${job.arrayId}`,
    `spawn watch ${job.id}`,
    `spawn connect ${first}`,
    `spawn terminate --job-array-id ${job.arrayId}`,
  ];
}
