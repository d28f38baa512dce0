import { z } from 'zod';
import { TERM_STATES } from '../core/dependency.ts';
import { QUEUE_REASONS } from '../core/queue-reason.ts';
import { JobView, TaskStateName, TaskView } from './job.ts';
import { MAX_DURATION_MS, MAX_PAGE } from './limits.ts';
import { ResourceAmounts } from './resources.ts';
import { whole } from './whole.ts';

const MAX_SECONDS = MAX_DURATION_MS / 1_000;
/** One value, or the same parameter several times. */
const several = (max: number) => z.union([z.string().max(max), z.array(z.string().max(max)).max(MAX_PAGE)]).optional();

/** What is in the queue: all conditions hold together, of the values of one any does. */
export const QueueQuery = z.strictObject({
  /** Jobs or tasks, separated by commas: `12`, `12_7`, `12_[1,3-5]`, raw ids, array ids, names. Those that have ended are told of whenever that was. */
  ids: several(65_536),
  /** Names of jobs, their own or those given to Slurm's commands. */
  names: several(1_024),
  /** Owners as in JobView; `@me`: who asks. */
  owners: several(255),
  /** States of tasks, separated by commas; jobs without any such task are left out. */
  states: z.string().max(200).optional(),
  /** Also what ended in the last so many seconds. Absent: nothing of what has ended. */
  ended: whole(z.int().min(0).max(MAX_SECONDS)).optional(),
  /** Groups and tasks on one page. */
  limit: whole(z.int().min(1).max(MAX_PAGE)).prefault(1_000),
  /** The key of the page before. */
  after: z.string().max(40).optional(),
});
export type QueueQuery = z.infer<typeof QueueQuery>;
export type QueueQueryInput = z.input<typeof QueueQuery>;

/** What some tasks of a job get. */
export const QueueLane = z.object({
  priority: z.int(),
  cpus: z.number(),
  memoryBytes: z.int(),
  timeLimitMs: z.int(),
  gpus: z.number().optional(),
  resources: ResourceAmounts.optional(),
});
export type QueueLane = z.infer<typeof QueueLane>;

/** Tasks of a job that have not started and of which the same holds. */
export const QueueGroup = z.object({
  /** `blocked`, `ready`, `leased`; with `ended` also `cancelled` and `skipped`, of tasks that never started. */
  state: TaskStateName,
  reason: z.enum(QUEUE_REASONS),
  /** Canonical index set. */
  indices: z.string(),
  count: z.int(),
  /** Number of their lane: its place in `lanes` of the job. */
  lane: z.int(),
  /** What they wait for, or waited for when they were skipped; absent when they wait for no other job. */
  after: z.string().optional(),
  /** What became of each term of it, in order; absent: none is decided. */
  terms: z.array(z.enum(TERM_STATES)).optional(),
});
export type QueueGroup = z.infer<typeof QueueGroup>;

/** A task that runs, or that has ended not long ago. */
export const QueueTask = TaskView.extend({ lane: z.int() });
export type QueueTask = z.infer<typeof QueueTask>;

/** A job, or what of it is on one page: the next page goes on with the same job where it was not told to its end. */
export const QueueJob = z.object({
  job: JobView,
  lanes: z.array(QueueLane),
  groups: z.array(QueueGroup),
  /** In the order of their indices. */
  tasks: z.array(QueueTask),
});
export type QueueJob = z.infer<typeof QueueJob>;

export const QueueReply = z.object({
  /** By the coordinator's clock, epoch ms. */
  now: z.number(),
  /** In the order of their numbers. */
  jobs: z.array(QueueJob),
  /** Of `ids`, those that name nothing; on the first page alone. */
  missing: z.array(z.string()),
  next: z.string().optional(),
});
export type QueueReply = z.infer<typeof QueueReply>;
