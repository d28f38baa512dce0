import type { TermState } from '../core/dependency.ts';
import type { Job } from '../core/job.ts';
import { TaskState } from '../core/task-state.ts';
import type { TaskReason } from '../core/task-table.ts';
import type { StoredJobState } from '../store/store.ts';

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
  /** What some of its tasks wait for, by number from 1 on. */
  conditions?: readonly { text: string; terms: readonly TermState[]; due: readonly number[] }[];
}

/** The stored state of a job. What is leased or running counts as ready: grants are stored apart. */
export function jobState(job: Job): StoredJobState {
  const counts = [...job.table.counts];
  counts[TaskState.ready]! += counts[TaskState.leased]! + counts[TaskState.running]!;
  counts[TaskState.leased] = 0;
  counts[TaskState.running] = 0;
  const [base, ...more] = job.conditions;
  const extra: JobExtra = {
    ground: job.table.ground,
    groundReason: job.table.groundReason,
    terms: base.termStates,
    due: base.termDue,
    ...(job.slowest.ends.length === 0 ? {} : { slowest: job.slowest.pack() }),
    ...(base.dependency === job.facts.dependency ? {} : { after: base.text }),
    ...(more.length === 0
      ? {}
      : { conditions: more.map(({ text, termStates, termDue }) => ({ text, terms: termStates, due: termDue })) }),
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

export function readExtra(text: string): JobExtra {
  return JSON.parse(text) as JobExtra;
}
