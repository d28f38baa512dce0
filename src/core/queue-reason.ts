import type { Job } from './job.ts';
import type { Lane } from './lane.ts';
import { couldTake, isFreeFor } from './place.ts';
import { TaskState } from './task-state.ts';
import type { TaskStretch } from './task-stretches.ts';
import { TaskReason } from './task-table.ts';
import type { WorkerSession } from './worker-session.ts';

/** Why tasks have not started, in Slurm's words. Source: squeue(1), JOB REASON CODES. */
export const QUEUE_REASONS = [
  /** Nobody has looked at it yet, or a worker has it already. */
  'None',
  /** Next in line, and no worker that could run it has enough free. */
  'Resources',
  /** Others come before it. */
  'Priority',
  'Dependency',
  'DependencyNeverSatisfied',
  'JobHeldUser',
  /** Held, and it has run before. */
  'job_requeued_in_held_state',
  /** The throttle of its array, or tasks of the array that are to run first. */
  'JobArrayTaskLimit',
  /** Its begin time, or the delay before it is tried again. */
  'BeginTime',
  'DeadLine',
  /** No worker is connected. */
  'ReqNodeNotAvail',
  /** No connected worker is large enough, or of those that are there are too few. */
  'PartitionNodeLimit',
] as const;
export type QueueReason = (typeof QUEUE_REASONS)[number];

/** Who gives out slots, and to whom next. */
export interface Line {
  /** Those that get new work. */
  readonly sessions: readonly WorkerSession[];
  readonly head: Lane | undefined;
}

/** Why tasks of a stretch, all of them unstarted, do not run. */
export function queueReason(job: Job, stretch: TaskStretch, line: Line, now: number): QueueReason {
  const { state, reason } = stretch;
  const held = job.held || stretch.held;
  if (state === TaskState.skipped) return 'DependencyNeverSatisfied';
  if (state === TaskState.cancelled) {
    if (reason === TaskReason.deadline) return 'DeadLine';
    if (reason === TaskReason.dependencyNeverSatisfied) return 'DependencyNeverSatisfied';
    return held ? 'JobHeldUser' : 'None';
  }
  if (state === TaskState.leased) return 'None';
  if (held) return stretch.tried ? 'job_requeued_in_held_state' : 'JobHeldUser';
  if (state === TaskState.blocked)
    return reason === TaskReason.dependencyNeverSatisfied ? 'DependencyNeverSatisfied' : 'Dependency';
  if (job.shut) return job.beginAt > now ? 'BeginTime' : 'DeadLine';
  if (!stretch.eligible) return reason === TaskReason.retryDelay ? 'BeginTime' : 'JobArrayTaskLimit';
  if (job.room === 0) return 'JobArrayTaskLimit';
  return laneReason(job.lanes[stretch.lane]!, line);
}

/** Of tasks that nothing but other tasks, or a lack of workers, keeps. */
function laneReason(lane: Lane, { sessions, head }: Line): QueueReason {
  // Its instance is what it waits for.
  if (lane.bound) return 'Resources';
  if (sessions.length === 0) return 'ReqNodeNotAvail';
  if (!couldTake(sessions, lane)) return 'PartitionNodeLimit';
  if (isFreeFor(sessions, lane)) return 'None';
  return lane === head ? 'Resources' : 'Priority';
}
