import { z } from 'zod';
import { Counts, TaskStateName } from './job.ts';
import { whole } from './whole.ts';

export const ResultsQuery = z.strictObject({
  /** Position of the first task. */
  from: whole(z.int().min(0)).prefault(0),
  /** Most tasks; absent: all. */
  limit: whole(z.int().min(1)).optional(),
});
export type ResultsQuery = z.infer<typeof ResultsQuery>;
export type ResultsQueryInput = z.input<typeof ResultsQuery>;

/** A file that a task made. */
export const ResultFile = z.object({ name: z.string(), size: z.int(), sha256: z.string() });
export type ResultFile = z.infer<typeof ResultFile>;

/** What one task gave, in the order of the array. */
export const TaskResult = z.object({
  index: z.int(),
  state: TaskStateName,
  /** Number of the last attempt; 0 before the first. */
  attempt: z.int(),
  /** Any value of JSON; absent where it gave none. */
  value: z.unknown().optional(),
  files: z.array(ResultFile).optional(),
  /** What it said beside that, or why it failed in its own words. */
  message: z.string().optional(),
  /** Why there is no result: it has not completed, or what it gave cannot be read now. */
  missing: z.string().optional(),
});
export type TaskResult = z.infer<typeof TaskResult>;

export const BatchesQuery = z.strictObject({
  /** Number of the batch after which to go on, counted from 0: the `next` of the page before. */
  after: whole(z.int().min(-1)).prefault(-1),
  limit: whole(z.int().min(1).max(10_000)).prefault(1_000),
});
export type BatchesQuery = z.infer<typeof BatchesQuery>;
export type BatchesQueryInput = z.input<typeof BatchesQuery>;

/** The parts of one file, or of one value: consecutive tasks. */
export const BatchView = z.object({
  /** What they were cut out of; empty for parts of several sources together. */
  name: z.string(),
  /** Index of its first task, and how many it has. */
  first: z.int(),
  parts: z.int(),
  counts: Counts,
});
export type BatchView = z.infer<typeof BatchView>;

export const BatchesReply = z.object({ batches: z.array(BatchView), total: z.int(), next: z.int().optional() });
export type BatchesReply = z.infer<typeof BatchesReply>;

const Batch = z.object({ name: z.string(), first: z.int().min(0), parts: z.int().min(0) });
/** Of the manifest of a plan: its batches, in itself or in blobs of `BATCHES_PER_PIECE` each. */
export const PlanBatches = z.object({
  batchCount: z.int().min(0),
  batches: z.array(Batch).optional(),
  batchPieces: z.array(z.string()).optional(),
});
export const BatchPiece = z.array(Batch);
export const BATCHES_PER_PIECE = 10_000;
