import { z } from 'zod';
import { MAX_PAGE } from './limits.ts';
import { QueueJob, QueueTask } from './queue.ts';
import { whole } from './whole.ts';

/** One value, or the same parameter several times. */
const several = (max: number) => z.union([z.string().max(max), z.array(z.string().max(max)).max(MAX_PAGE)]).optional();

/** What was, with what is: all conditions hold together, of the values of one any does. */
export const HistoryQuery = z.strictObject({
  /** Jobs or tasks, separated by commas: `12`, `12_7`, `12_[1,3-5]`, raw ids, array ids, names. */
  ids: several(65_536),
  /** Names of jobs, their own or those given to Slurm's commands. */
  names: several(1_024),
  /** Owners as in JobView; `@me`: who asks. */
  owners: several(255),
  /** `1`: only jobs of who asks, in place of `owners`. */
  mine: z.enum(['0', '1']).default('0'),
  /** States of tasks, separated by commas. */
  states: z.string().max(200).optional(),
  /** Only jobs that have not ended, or ended then or later, epoch ms. */
  endedFrom: whole().optional(),
  /** Only jobs that were submitted then or before, epoch ms. */
  createdTo: whole().optional(),
  /** `all`: also attempts that were followed by another one of the same task. */
  attempts: z.enum(['last', 'all']).default('last'),
  /** Groups and attempts on one page; a task is not cut, so that with `all` it may have some more. */
  limit: whole(z.int().min(1).max(MAX_PAGE)).prefault(1_000),
  /** The key of the page before. */
  after: z.string().max(40).optional(),
});
export type HistoryQuery = z.infer<typeof HistoryQuery>;
export type HistoryQueryInput = z.input<typeof HistoryQuery>;

/** An attempt of a task: the last, or an earlier one. */
export const HistoryTask = QueueTask.extend({
  /** Another attempt followed, or is to follow. */
  again: z.boolean().optional(),
});
export type HistoryTask = z.infer<typeof HistoryTask>;

/** A job, or what of it is on one page. Groups are tasks that have not started, or that never did. */
export const HistoryJob = QueueJob.extend({
  /** In the order of their indices, the attempts of each in their order. */
  tasks: z.array(HistoryTask),
});
export type HistoryJob = z.infer<typeof HistoryJob>;

export const HistoryReply = z.object({
  /** By the coordinator's clock, epoch ms. */
  now: z.number(),
  /** First jobs that are no arrays, then arrays, each by number. */
  jobs: z.array(HistoryJob),
  /** Of `ids`, those that name nothing; on the first page alone. */
  missing: z.array(z.string()),
  next: z.string().optional(),
});
export type HistoryReply = z.infer<typeof HistoryReply>;
