import type { Job } from './job.ts';
import type { JobState } from './job-state.ts';
import { TaskState } from './task-state.ts';

/** What of a job decides whether somebody is told something. */
export interface Standing {
  readonly started: boolean;
  readonly size: number;
  /** Tasks that failed for good. */
  readonly failed: number;
  /** Tasks that no worker and no dependency moves any more. */
  readonly ended: number;
  /** Once the job has ended. */
  readonly end: JobState | undefined;
}

/** A job that was submitted a moment ago, whatever became of it since. */
export const NOTHING_YET: Standing = { started: false, size: 0, failed: 0, ended: 0, end: undefined };

export function standingOf(job: Job): Standing {
  const { counts, ended } = job.table;
  return {
    started: job.startedAt !== 0,
    size: job.size,
    failed: counts[TaskState.failed]!,
    ended,
    end: job.endedAt === 0 ? undefined : job.state,
  };
}

/** What happens once to a job, until it is run again. */
export type JobHappening = 'start' | 'first_failure' | 'completed' | 'failed' | 'cancelled';

/** What happened between two looks at a job, in order. */
export function happenings(before: Standing, after: Standing): JobHappening[] {
  const found: JobHappening[] = [];
  if (!before.started && after.started) found.push('start');
  if (before.failed === 0 && after.failed > 0) found.push('first_failure');
  if (before.end === undefined && after.end !== undefined) found.push(endOf(after.end));
  return found;
}

function endOf(state: JobState): JobHappening {
  if (state === 'completed' || state === 'failed') return state;
  return 'cancelled';
}

/** By which of its events a rule wants to be told of something; undefined: it does not. */
export function wantedAs<E extends string>(events: readonly E[], happening: string): E | undefined {
  const names = ENDS.has(happening) ? [happening, 'ended', 'array_complete'] : [happening];
  return events.find((event) => names.includes(event));
}

const ENDS: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled']);

export type Threshold = { readonly failures: number } | { readonly failedPart: number } | { readonly progress: number };

/** Whether a job has come to a threshold between two looks. */
export function crosses(threshold: Threshold, before: Standing, after: Standing): boolean {
  return !reaches(threshold, before) && reaches(threshold, after);
}

function reaches(threshold: Threshold, { size, failed, ended }: Standing): boolean {
  if ('failures' in threshold) return failed >= threshold.failures;
  if (size === 0) return false;
  return 'failedPart' in threshold ? failed / size >= threshold.failedPart : ended / size >= threshold.progress;
}

/** Whether a name fits a pattern in which `*` stands for any text. */
export function fitsPattern(pattern: string, name: string): boolean {
  const [first, ...rest] = pattern.split('*');
  if (rest.length === 0) return name === pattern;
  const last = rest.pop()!;
  if (!name.startsWith(first!) || !name.endsWith(last) || name.length < first!.length + last.length) return false;
  let at = first!.length;
  const end = name.length - last.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** When Slurm sends mail, in the words of alerts. Slurm: sbatch(1), --mail-type; what it knows besides has no such event. */
export function mailEvents(types: readonly string[]): ('start' | 'failed' | 'ended' | 'task_failed')[] {
  const all = types.includes('ALL');
  const has = (type: string) => all || types.includes(type);
  const each = types.includes('ARRAY_TASKS');
  return [
    ...(has('BEGIN') ? (['start'] as const) : []),
    ...(has('END') ? (['ended'] as const) : has('FAIL') ? (['failed'] as const) : []),
    ...(each && has('FAIL') ? (['task_failed'] as const) : []),
  ];
}
