import type { Counts, JobDelta, JobStateName, JobView } from '../api/job.ts';
import type { JobSpec } from '../api/job-spec.ts';
import type { Job } from '../core/job.ts';
import { jobState } from '../core/job-state.ts';
import { TASK_STATES, TaskState } from '../core/task-state.ts';
import { TASK_REASONS, TaskReason } from '../core/task-table.ts';
import type { StoredJob, StoredJobFixed, StoredJobState } from '../store/store.ts';
import { jobState as stateRow } from './job-row.ts';
import type { JobEntry, Memory } from './memory.ts';

const MAX_COMMAND_TEXT = 200;
const STOPPED = TASK_REASONS[TaskReason.maxFailures]!;

/** A live (or just ended) job. */
export function viewJob(memory: Memory, entry: JobEntry): JobView {
  const { job, fixed } = entry;
  const reason = whyNot(memory, job);
  return view(fixed, stateRow(job), job.table.counts, job.state, reason);
}

/** An ended job that is not in memory. */
export function viewStored(row: StoredJob): JobView {
  const { maxFailures } = row.spec;
  const stopped = maxFailures !== undefined && row.counts[TaskState.failed]! > maxFailures;
  return view(row, row, row.counts, jobState(row.counts, row.held), stopped ? STOPPED : undefined);
}

export function deltaOf(job: Job): JobDelta {
  return {
    id: job.id,
    state: job.state,
    counts: countsOf(job.table.counts),
    retried: job.retried,
    ...(job.endedAt === 0 ? {} : { endedAt: job.endedAt, exitCode: job.exitCode }),
  };
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
    priority: row.priority,
    counts: countsOf(counts),
    command: commandText(spec),
    cwd: spec.cwd,
    ...(spec.after === undefined ? {} : { after: spec.after }),
    cpus: spec.cpus,
    memoryBytes: spec.memoryBytes,
    timeLimitMs: spec.timeLimitMs,
    retries: spec.retries,
    retried: row.retried,
    createdAt: fixed.createdAt,
    ...(row.startedAt === 0 ? {} : { startedAt: row.startedAt }),
    ...(row.endedAt === 0 ? {} : { endedAt: row.endedAt, exitCode: row.exitCode }),
    ...(row.meanWallUs === 0 ? {} : { meanWallMs: row.meanWallUs / 1000 }),
  };
}

function countsOf(counts: ArrayLike<number>): Counts {
  return Object.fromEntries(TASK_STATES.map((name, at) => [name, counts[at]!])) as Counts;
}

function commandText(spec: JobSpec): string {
  const { run } = spec;
  const text =
    run.kind === 'argv' ? run.argv.join(' ') : run.kind === 'shell' ? run.text : [run.name, ...run.args].join(' ');
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > MAX_COMMAND_TEXT ? `${line.slice(0, MAX_COMMAND_TEXT - 1)}…` : line;
}

/** Why nothing of a job that is ready or blocked runs, in a few words. */
function whyNot(memory: Memory, job: Job): string | undefined {
  const { counts } = job.table;
  if (job.endedAt !== 0) {
    return counts[TaskState.failed]! > job.facts.maxFailures ? STOPPED : undefined;
  }
  if (job.state === 'held') return 'held by a user';
  if (job.state === 'blocked') return 'waiting for a dependency';
  if (job.state !== 'ready') return undefined;
  if (job.table.eligible.count === 0)
    return job.delayed.size > 0 ? TASK_REASONS[TaskReason.retryDelay] : 'held by a user';
  const sessions = [...memory.sessions.values()].filter(({ session }) => session.connected && !session.draining);
  if (sessions.length === 0) return 'no worker is connected';
  if (!sessions.some(({ session }) => session.couldFit(job))) {
    const { cpus, memoryBytes } = job.facts;
    const memoryText = memoryBytes === 0 ? '' : ` and ${memoryBytes} bytes of memory`;
    return `no connected worker has ${cpus} CPU${cpus === 1 ? '' : 's'}${memoryText}`;
  }
  return 'waiting for resources';
}
