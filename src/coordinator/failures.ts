import type { FailureGroup } from '../api/insight.ts';
import { groupFailures, type OutcomeGroup, type SampledFailure } from '../core/failure-groups.ts';
import { asJobId, formatTaskId } from '../core/ids.ts';
import type { Job } from '../core/job.ts';
import { decodeOutcome, type Outcome, outcomeText } from '../core/outcome.ts';
import { TaskState } from '../core/task-state.ts';
import { TASK_REASONS } from '../core/task-table.ts';
import { runsWhere, type TaskCounts } from './count-tasks.ts';

/** Groups in one reply. */
const MAX_GROUPS = 100;
/** Groups whose indices are looked for among all tasks. */
const MAX_SEARCHED = 20;
/** Runs that are looked for to be named as indices, and characters that are told of them. */
const MAX_RUNS = 64;
const MAX_INDICES_TEXT = 400;

const CAUSES: Readonly<Record<Outcome['kind'], FailureGroup['cause']>> = {
  exited: 'exit',
  signalled: 'signal',
  timedOut: 'timeLimit',
  stalled: 'stalled',
  outOfMemory: 'outOfMemory',
  cancelled: 'cancelled',
  preempted: 'preempted',
  lost: 'lost',
};

/** Tasks that failed, by cause and message; then those that were cancelled or skipped, by reason. */
export function failureGroups(job: Job, counts: TaskCounts, sample: readonly SampledFailure[]): FailureGroup[] {
  const groups = groupFailures(counts.failed, sample);
  const alone = (outcome: number) => groups.filter((group) => group.outcome === outcome).length === 1;
  return [
    ...groups
      .slice(0, MAX_GROUPS)
      .map((group, at) => failedGroup(job, group, at < MAX_SEARCHED && alone(group.outcome))),
    ...[...counts.cancelled].map(([reason, tasks]) => cancelledGroup(job, reason, tasks)),
    ...skippedGroups(job),
  ];
}

function failedGroup(job: Job, group: OutcomeGroup, search: boolean): FailureGroup {
  const { table } = job;
  const outcome = decodeOutcome(group.outcome);
  const all = () => runsWhere(job, 'failed', (at) => (table.outcomes?.[at] ?? 0) === group.outcome, MAX_RUNS);
  const runs = search ? all() : group.positions.map((position) => [position, 1] as const);
  return {
    cause: CAUSES[outcome.kind],
    ...(outcome.kind === 'exited' ? { exitCode: outcome.code } : {}),
    ...(outcome.kind === 'signalled' ? { signal: outcome.signal } : {}),
    outcome: outcomeText(outcome),
    ...(group.message === undefined ? {} : { message: group.message }),
    tasks: group.tasks,
    estimated: group.estimated,
    ...named(job, runs, group.positions[0]),
  };
}

function cancelledGroup(job: Job, reason: number, tasks: number): FailureGroup {
  const runs = runsWhere(job, 'cancelled', (position) => job.table.reasonOf(position) === reason, MAX_RUNS);
  const outcome = TASK_REASONS[reason] || 'cancelled';
  return { cause: 'cancelled', outcome, tasks, estimated: false, ...named(job, runs, undefined) };
}

function skippedGroups(job: Job): FailureGroup[] {
  const tasks = job.table.counts[TaskState.skipped]!;
  if (tasks === 0) return [];
  const runs = runsWhere(job, 'skipped', () => true, MAX_RUNS);
  const outcome = 'dependency never satisfied';
  return [{ cause: 'dependency', outcome, tasks, estimated: false, ...named(job, runs, undefined) }];
}

/** The indices of the runs, as many as the text takes, and a task among them. */
function named(
  job: Job,
  runs: readonly (readonly [start: number, count: number])[],
  example: number | undefined,
): { example: string; indices: string } {
  const { indices } = job.facts;
  const text = runs.length === 0 ? '' : String(indices.select(runs));
  const cut = text.length <= MAX_INDICES_TEXT ? text : text.slice(0, text.lastIndexOf(',', MAX_INDICES_TEXT));
  const position = example ?? runs[0]?.[0] ?? 0;
  return { example: formatTaskId(asJobId(job.id), indices.at(position)), indices: cut };
}
