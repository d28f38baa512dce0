import type { AlertThreshold } from '../../api/alert.ts';
import type { Notice } from '../../core/alert-text.ts';
import type { EndChunk } from '../../core/end-chunk.ts';
import { asJobId, formatTaskId } from '../../core/ids.ts';
import type { Job } from '../../core/job.ts';
import { decodeOutcome, outcomeText } from '../../core/outcome.ts';
import { counted } from '../../core/shown.ts';
import { TASK_STATES, TaskState } from '../../core/task-state.ts';
import type { JobEntry } from '../memory.ts';

/** Of a job with very many failed tasks, so many are looked at. */
const MOST_LOOKED_AT = 100_000;
const MOST_CAUSES = 5;
const MOST_RUNS = 200;
const MOST_INDEX_TEXT = 300;

/** The job as it is now. */
export function jobNotice({ job, fixed }: JobEntry, event: string, at: number): Notice {
  const counts = TASK_STATES.flatMap((name, state) =>
    job.table.counts[state]! > 0 ? [[name, job.table.counts[state]!] as const] : [],
  );
  return {
    event,
    at,
    job: {
      id: job.id,
      arrayId: fixed.arrayId,
      name: fixed.name,
      owner: fixed.owner,
      state: job.state,
      size: job.size,
      counts: Object.fromEntries(counts),
      ...(job.startedAt === 0 ? {} : { startedAt: job.startedAt }),
      ...(job.endedAt === 0 ? {} : { endedAt: job.endedAt, exitCode: job.exitCode }),
    },
  };
}

/** With what failed, and how. */
export function endNotice(entry: JobEntry, event: string, at: number): Notice {
  const { job } = entry;
  const notice = jobNotice(entry, event, at);
  if (job.table.counts[TaskState.failed] === 0) return notice;
  return { ...notice, causes: causesOf(job), failed: failedIndices(job) };
}

function causesOf(job: Job): [string, number][] {
  const tasks = new Map<number, number>();
  let left = MOST_LOOKED_AT;
  for (const [start, count] of job.table.runsOf(TaskState.failed)) {
    for (let position = start; position < start + count && left > 0; position++, left--) {
      const outcome = job.table.outcomes?.[position] ?? 0;
      tasks.set(outcome, (tasks.get(outcome) ?? 0) + 1);
    }
    if (left === 0) break;
  }
  return [...tasks]
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, MOST_CAUSES)
    .map(([outcome, count]) => [outcomeText(decodeOutcome(outcome)), count]);
}

function failedIndices(job: Job): string {
  const runs: [number, number][] = [];
  for (const run of job.table.runsOf(TaskState.failed)) {
    if (runs.length === MOST_RUNS) break;
    runs.push(run);
  }
  const text = job.facts.indices.select(runs).toString();
  if (runs.length < MOST_RUNS && text.length <= MOST_INDEX_TEXT) return text;
  const cut = text.slice(0, MOST_INDEX_TEXT);
  return `${cut.slice(0, Math.max(0, cut.lastIndexOf(',')))},…`;
}

/** A task that failed, by its outcome; of several the one with the lowest index. */
export function firstFailure(job: Job): { task: string; outcome: string } | undefined {
  const [first] = job.table.runsOf(TaskState.failed);
  return first === undefined ? undefined : taskOf(job, first[0]);
}

function taskOf(job: Job, position: number): { task: string; outcome: string } {
  const outcome = outcomeText(decodeOutcome(job.table.outcomes?.[position] ?? 0));
  return { task: formatTaskId(asJobId(job.id), job.facts.indices.at(position)), outcome };
}

/** Tasks that failed for good by these ends. */
export function failedTasks(
  ends: EndChunk | undefined,
  job: Job,
): { task: string; outcome: string; attempt: number }[] {
  return [...(ends?.badEnds() ?? [])]
    .filter(
      ({ position, attempt }) =>
        job.table.attempts[position] === attempt && job.table.state[position] === TaskState.failed,
    )
    .map(({ position, attempt }) => ({ ...taskOf(job, position), attempt }));
}

export function thresholdText(threshold: AlertThreshold): string {
  if ('failures' in threshold) return `${counted(threshold.failures, 'failed task')}`;
  if ('failedPart' in threshold) return `${percent(threshold.failedPart)} failed tasks`;
  return `${percent(threshold.progress)} of its tasks`;
}

function percent(part: number): string {
  return `${Math.round(part * 1_000) / 10} %`;
}
