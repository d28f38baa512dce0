import type { Counts, JobDelta, JobStateName, JobView } from '../api/job.ts';
import type { JobSpec, RunSpec } from '../api/job-spec.ts';
import type { CanaryState } from '../core/canary.ts';
import type { Job } from '../core/job.ts';
import { jobState, neededOf } from '../core/job-state.ts';
import { counted } from '../core/shown.ts';
import { TASK_STATES, TaskState } from '../core/task-state.ts';
import { TASK_REASONS, TaskFlag, TaskReason } from '../core/task-table.ts';
import type { StoredJob, StoredJobFixed, StoredJobState } from '../store/store.ts';
import { awaitsPlan, plannerOf, readsParts } from './data/planned.ts';
import {
  readAfter,
  readMaxFailures,
  readOutput,
  readPlan,
  readSlurm,
  readTerms,
  readTimes,
  jobState as stateRow,
} from './job-row.ts';
import type { JobEntry, Memory } from './memory.ts';
import { explainBusy, explainImpossible, openSessions } from './shortage.ts';
import { timeText } from './times.ts';

const MAX_COMMAND_TEXT = 200;
const STOPPED = TASK_REASONS[TaskReason.maxFailures]!;

/** A live (or just ended) job. */
export function viewJob(memory: Memory, entry: JobEntry): JobView {
  const { job, fixed } = entry;
  const reason = job.endedAt === 0 ? whyNot(memory, entry) : whyGone(job, fixed);
  const { count } = job.suspensions;
  const shown = view(fixed, stateRow(job), job.table.counts, job.state, reason);
  return { ...shown, ...(count === 0 ? {} : { suspended: count }), ...progressOf(job) };
}

/** An ended job that is not in memory. */
export function viewStored(row: StoredJob): JobView {
  const ended = whyEnded(row.counts, readMaxFailures(row), row.endedAt, readTimes(row), row);
  return view(row, row, row.counts, jobState(row.counts, row.held, row.spec.minSuccess), ended);
}

export function deltaOf(job: Job): JobDelta {
  return {
    id: job.id,
    state: job.state,
    counts: countsOf(job.table.counts),
    ...(job.suspensions.count === 0 ? {} : { suspended: job.suspensions.count }),
    ...progressOf(job),
    retried: job.retried,
    ...(job.endedAt === 0 ? {} : { endedAt: job.endedAt, exitCode: job.exitCode }),
  };
}

function progressOf({ progress, endedAt, table, size }: Job): { progress?: number } {
  return progress === undefined || endedAt !== 0 ? {} : { progress: progress.mean(table.ended, size) };
}

export function deltaOfView(job: JobView): JobDelta {
  const { id, state, counts, retried, endedAt, exitCode } = job;
  return { id, state, counts, retried, ...(endedAt === undefined ? {} : { endedAt, exitCode: exitCode ?? 0 }) };
}

function view(
  fixed: StoredJobFixed,
  row: StoredJobState,
  counts: ArrayLike<number>,
  state: JobStateName,
  reason: string | undefined,
): JobView {
  const { spec } = fixed;
  const after = readAfter(fixed, row);
  const terms = readTerms(fixed, row);
  const { beginAt, deadlineAt, canary } = readTimes(row);
  const slurm = readSlurm(fixed, row);
  const files = readOutput(fixed, row);
  return {
    id: fixed.id,
    arrayId: fixed.arrayId,
    name: fixed.name,
    owner: fixed.owner,
    state,
    ...(reason === undefined ? {} : { reason }),
    ...(fixed.indices === '' ? {} : { array: fixed.indices }),
    size: fixed.size,
    throttle: row.throttle,
    held: row.held,
    priority: terms.priority,
    counts: countsOf(counts),
    command: commandText(spec),
    cwd: spec.cwd,
    ...(files.output === undefined ? {} : { outputPath: files.output }),
    ...(files.error === undefined ? {} : { errorPath: files.error }),
    ...(spec.inputPath === undefined ? {} : { inputPath: spec.inputPath }),
    ...(after === '' ? {} : { after }),
    cpus: terms.cpus,
    memoryBytes: terms.memoryBytes,
    timeLimitMs: terms.timeLimitMs,
    ...(terms.gpus === 0 ? {} : { gpus: terms.gpus }),
    ...(spec.exclusive ? { exclusive: true } : {}),
    ...(spec.gang === undefined ? {} : { gang: spec.gang }),
    ...(Object.keys(terms.resources).length === 0 ? {} : { resources: terms.resources }),
    ...(beginAt === undefined ? {} : { beginAt }),
    ...(deadlineAt === undefined ? {} : { deadlineAt }),
    ...(canary === undefined ? {} : { canary: canary.state }),
    retries: spec.retries,
    retried: row.retried,
    createdAt: fixed.createdAt,
    ...(row.startedAt === 0 ? {} : { startedAt: row.startedAt }),
    ...(row.endedAt === 0 ? {} : { endedAt: row.endedAt, exitCode: row.exitCode }),
    ...(row.meanWallUs === 0 ? {} : { meanWallMs: row.meanWallUs / 1000 }),
    ...(spec.instances === undefined ? {} : { instances: true }),
    ...(slurm === undefined ? {} : { slurm }),
    ...planOf(fixed, row),
    ...(spec.minSuccess === 1 ? {} : { minSuccess: spec.minSuccess }),
    ...(spec.role === undefined ? {} : { role: spec.role }),
    ...(spec.workflow === undefined ? {} : { workflow: spec.workflow }),
  };
}

function planOf(fixed: StoredJobFixed, row: StoredJobState): Pick<JobView, 'plan'> {
  if (!readsParts(fixed.spec)) return {};
  const job = plannerOf(fixed);
  const parts = readPlan(row)?.parts;
  return { plan: { ...(job === undefined ? {} : { job }), ...(parts === undefined ? {} : { parts }) } };
}

/** By name of the state. */
export function countsOf(counts: ArrayLike<number>): Counts {
  return Object.fromEntries(TASK_STATES.map((name, at) => [name, counts[at]!])) as Counts;
}

function commandText(spec: JobSpec): string {
  const line = wordsOf(spec.run).replace(/\s+/g, ' ').trim();
  return line.length > MAX_COMMAND_TEXT ? `${line.slice(0, MAX_COMMAND_TEXT - 1)}…` : line;
}

function wordsOf(run: RunSpec): string {
  switch (run.kind) {
    case 'argv':
      return run.argv.join(' ');
    case 'shell':
      return run.text;
    case 'script':
      return [run.name, ...run.args].join(' ');
    case 'handler':
      return `${run.module}#${run.export}`;
    case 'signal':
      return '(until spored complete)';
  }
}

function whyGone(job: Job, fixed: StoredJobFixed): string | undefined {
  return whyEnded(job.table.counts, job.maxFailures, job.endedAt, job, fixed);
}

/** What ended a job before all its tasks had run. */
function whyEnded(
  counts: ArrayLike<number>,
  maxFailures: number,
  endedAt: number,
  { deadlineAt = 0, canary }: { deadlineAt?: number; canary?: { state: CanaryState; missed: number } | undefined },
  { spec, size }: StoredJobFixed,
): string | undefined {
  if (counts[TaskState.failed]! > maxFailures) return STOPPED;
  const completed = counts[TaskState.completed]!;
  if (spec.minSuccess < 1 && completed < size) {
    return `${completed} of ${counted(size, 'task')} completed, ${neededOf(size, spec.minSuccess)} were needed`;
  }
  if (canary?.state === 'failed' && canary.missed > 0) {
    return `canary failed: ${canary.missed} of ${Math.min(size, spec.canary)} did not complete`;
  }
  const late = deadlineAt !== 0 && endedAt >= deadlineAt && counts[TaskState.cancelled]! > 0;
  return late ? TASK_REASONS[TaskReason.deadline] : undefined;
}

/** Why none of the tasks that are ready may be granted. */
function whyKept({ delayed, table, canary }: Job): string {
  if (delayed.size > 0) return TASK_REASONS[TaskReason.retryDelay]!;
  if (canary?.state !== 'running') return 'held by a user';
  const isHeld = (position: number) =>
    table.state[position] === TaskState.ready && table.hasFlag(position, TaskFlag.held);
  return canary.positions.some(isHeld) ? 'waiting for the canary, which is held by a user' : 'waiting for the canary';
}

/** Why nothing of a job that is ready or blocked runs, in a few words. */
function whyNot(memory: Memory, entry: JobEntry): string | undefined {
  const { job } = entry;
  if (job.state === 'running') return undefined;
  const impossible = job.facts.bound ? undefined : explainImpossible(memory, job);
  const also = impossible === undefined ? '' : `; ${impossible}`;
  if (job.state === 'held') return `held by a user${also}`;
  if (job.state === 'blocked') {
    const planner = awaitsPlan(entry) ? plannerOf(entry.fixed) : undefined;
    return planner === undefined ? `waiting for a dependency${also}` : `waiting for its plan (job ${planner})`;
  }
  if (job.state !== 'ready') return undefined;
  if (job.shut)
    return job.beginAt > 0 ? `begins at ${timeText(job.beginAt)}${also}` : TASK_REASONS[TaskReason.deadline];
  if (job.table.eligible.count === 0) return `${whyKept(job)}${also}`;
  if (job.facts.bound) return job.size === 1 ? 'waiting for its instance' : 'waiting for its instances';
  if (openSessions(memory).length === 0) return 'no worker is connected';
  return impossible ?? explainBusy(memory, job);
}
