import type { SlurmSpec, SlurmUpdate } from '../api/slurm.ts';
import type { CanaryState } from '../core/canary.ts';
import type { TermState } from '../core/dependency.ts';
import { rawIdOf } from '../core/ids.ts';
import type { Job, JobPlan } from '../core/job.ts';
import type { LaneTerms } from '../core/lane.ts';
import { TaskState } from '../core/task-state.ts';
import type { TaskReason } from '../core/task-table.ts';
import type { StoredJob, StoredJobFixed, StoredJobState } from '../store/store.ts';

/** What of a job changes rarely and has no column. */
export interface JobExtra {
  ground: TaskState;
  groundReason: TaskReason;
  terms: readonly TermState[];
  due: readonly number[];
  /** Slowest.pack(); absent when no attempt has ended, and in rows of older releases. */
  slowest?: readonly number[];
  /** What the job waits for now, where that was changed; '' = nothing. */
  after?: string;
  /** Where that was changed; null = never ended for failures. */
  maxFailures?: number | null;
  /** What some of its tasks wait for, by number from 1 on. */
  conditions?: readonly { text: string; terms: readonly TermState[]; due: readonly number[] }[];
  /** Epoch ms; absent when there is none. */
  beginAt?: number;
  deadlineAt?: number;
  /** Suspensions.pack(); absent when there are none. */
  suspensions?: readonly number[];
  /** Absent when no tasks run first. */
  canary?: { state: CanaryState; missed: number };
  /** Where tasks that start from now on write, where that was changed. */
  outputPath?: string;
  /** What was changed since the submit of what Slurm's commands show. */
  slurm?: SlurmUpdate;
  /** What some of its tasks get, by number from 1 on. */
  lanes?: readonly LaneTerms[];
  /** See Job. */
  plan?: JobPlan;
  /** Number of the lane that all tasks are in; absent: 0, or there is none. */
  allIn?: number;
}

/** The stored state of a job. What is leased or running counts as ready: grants are stored apart. */
export function jobState(job: Job): StoredJobState {
  const counts = [...job.table.counts];
  counts[TaskState.ready]! += counts[TaskState.leased]! + counts[TaskState.running]!;
  counts[TaskState.leased] = 0;
  counts[TaskState.running] = 0;
  const [base, ...more] = job.conditions;
  const allIn = job.table.eligible.laneCounts.indexOf(job.size);
  const lanes = job.lanes.slice(1).map(({ terms, priority }) => ({ ...terms, priority }));
  const extra: JobExtra = {
    ground: job.table.ground,
    groundReason: job.table.groundReason,
    terms: base.termStates,
    due: base.termDue,
    ...(job.slowest.ends.length === 0 ? {} : { slowest: job.slowest.pack() }),
    ...suspensionsOf(job),
    ...(base.dependency === job.facts.dependency ? {} : { after: base.text }),
    ...(job.maxFailures === job.facts.maxFailures
      ? {}
      : { maxFailures: Number.isFinite(job.maxFailures) ? job.maxFailures : null }),
    ...(more.length === 0
      ? {}
      : { conditions: more.map(({ text, termStates, termDue }) => ({ text, terms: termStates, due: termDue })) }),
    ...(job.outputPath === undefined ? {} : { outputPath: job.outputPath }),
    ...(Object.keys(job.slurm).length === 0 ? {} : { slurm: job.slurm }),
    ...(job.plan === undefined ? {} : { plan: job.plan }),
    ...(lanes.length === 0 ? {} : { lanes }),
    ...(allIn > 0 ? { allIn } : {}),
    ...(job.beginAt === 0 ? {} : { beginAt: job.beginAt }),
    ...(job.deadlineAt === 0 ? {} : { deadlineAt: job.deadlineAt }),
    ...(job.canary === undefined ? {} : { canary: { state: job.canary.state, missed: job.canary.missed } }),
  };
  return {
    held: job.held,
    throttle: job.throttle,
    priority: job.priority,
    counts,
    startedAt: job.startedAt,
    endedAt: job.endedAt,
    exitCode: job.exitCode,
    retried: job.retried,
    meanWallUs: Math.round(job.meanWallUs),
    extra: JSON.stringify(extra),
  };
}

function suspensionsOf({ suspensions }: Job): { suspensions?: readonly number[] } {
  const packed = suspensions.pack();
  return packed.length === 0 ? {} : { suspensions: packed };
}

export function readExtra(text: string): JobExtra {
  return JSON.parse(text) as JobExtra;
}

/** The one number of a task. */
export function taskRawId({ id, rawIdBase, indices }: StoredJobFixed, position: number): number {
  return rawIdOf({ id, rawIdBase, isArray: indices !== '' }, position);
}

/** What the job as a whole waits for, also where that was changed; '' = nothing. */
export function readAfter({ spec }: StoredJobFixed, { extra }: StoredJobState): string {
  return readChanged(extra, 'after') ?? spec.after ?? '';
}

/** What all tasks get, where that was changed, else what was submitted. */
export function readTerms({ spec }: StoredJobFixed, { extra, priority }: StoredJobState): LaneTerms {
  const { cpus, memoryBytes, gpus, resources, timeLimitMs } = spec;
  const submitted = { cpus, memoryBytes, gpus, resources, timeLimitMs, priority };
  if (!extra.includes('"allIn":')) return submitted;
  const { lanes, allIn } = readExtra(extra);
  return lanes![allIn! - 1]!;
}

/** Infinity = never ended for failures. */
export function readMaxFailures({ spec, extra }: StoredJob): number {
  const changed = readChanged(extra, 'maxFailures');
  return (changed === undefined ? spec.maxFailures : changed) ?? Number.POSITIVE_INFINITY;
}

/** When it begins and has its deadline, and how its canary fares. */
export function readTimes({ extra }: StoredJobState): Pick<JobExtra, 'beginAt' | 'deadlineAt' | 'canary'> {
  return /"(beginAt|deadlineAt|canary)":/.test(extra) ? readExtra(extra) : {};
}

/** What is known of the parts that its tasks read. */
export function readPlan({ extra }: StoredJobState): JobPlan | undefined {
  return extra.includes('"plan":') ? readExtra(extra).plan : undefined;
}

/** What Slurm's commands show of it, also where that was changed; undefined when there is nothing. */
export function readSlurm({ spec }: StoredJobFixed, { extra }: StoredJobState): SlurmSpec | undefined {
  const changed = readChanged(extra, 'slurm');
  return changed === undefined ? spec.slurm : slurmOf(spec, changed);
}

/** The same of a job in memory. */
export function slurmOf({ slurm }: StoredJobFixed['spec'], changed: SlurmUpdate): SlurmSpec | undefined {
  // What was cleared is not there.
  const left = Object.entries({ ...slurm, ...changed }).filter(([, value]) => value !== '');
  return left.length === 0 ? undefined : Object.fromEntries(left);
}

/** Patterns of its output files, also where they were changed. Both streams in one file stay together. */
export function readOutput({ spec }: StoredJobFixed, { extra }: StoredJobState): { output?: string; error?: string } {
  return outputOf(spec, readChanged(extra, 'outputPath'));
}

/** The same of a job in memory. */
export function outputOf(
  { outputPath, errorPath }: StoredJobFixed['spec'],
  changed: string | undefined,
): { output?: string; error?: string } {
  const output = changed ?? outputPath;
  const error = errorPath !== undefined && errorPath === outputPath ? output : errorPath;
  return { ...(output === undefined ? {} : { output }), ...(error === undefined ? {} : { error }) };
}

/** The name under which Slurm's commands find it. */
export function slurmNameOf(job: StoredJob): string {
  return readSlurm(job, job)?.name ?? job.name;
}

/** The same of a job in memory. */
export function shownName({ slurm }: Job, { spec, name }: StoredJobFixed): string {
  return (slurm as SlurmUpdate).name ?? spec.slurm?.name ?? name;
}

/** Lists show thousands of jobs, of which few were changed: the others need no parsing. */
function readChanged<K extends 'after' | 'maxFailures' | 'slurm' | 'outputPath'>(
  extra: string,
  name: K,
): JobExtra[K] | undefined {
  return extra.includes(`"${name}":`) ? readExtra(extra)[name] : undefined;
}
