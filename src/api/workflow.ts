import { z } from 'zod';
import { JobStateName, JobView, RetryRequest, SubmitRequest } from './job.ts';
import { JobSpec } from './job-spec.ts';
import { MAX_WORKFLOW_JOBS } from './limits.ts';

/** What a job is called within the request that submits it. */
const WorkflowKey = z
  .string()
  .max(63)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/, 'a key of letters, digits, ".", "_" and "-", a letter, a digit or "_" first');

export const WorkflowJob = z.strictObject({
  key: WorkflowKey,
  /** Its `after` may name jobs of the same request by `@key`, also ones that stand behind it. Its name is the key unless it has one. */
  spec: JobSpec,
  /** What becomes of the other jobs when this one fails: `stop` cancels all that waits; what runs goes on. */
  onFailure: z.enum(['continue', 'stop']).default('continue'),
});

/** Jobs that are submitted together: all of them or none. */
export const WorkflowRequest = z.strictObject({
  name: JobSpec.shape.name,
  jobs: z.array(WorkflowJob).min(1).max(MAX_WORKFLOW_JOBS),
  idempotencyKey: SubmitRequest.shape.idempotencyKey,
  dryRun: SubmitRequest.shape.dryRun,
});
export type WorkflowRequest = z.infer<typeof WorkflowRequest>;
export type WorkflowRequestInput = z.input<typeof WorkflowRequest>;

/** That a job waits for another one. */
export const GraphEdge = z.object({
  /** The number of the job that is waited for. */
  from: z.int(),
  /** The number of the job that waits. */
  to: z.int(),
  type: z.enum(['after', 'afterany', 'afterok', 'afternotok', 'aftercorr']),
  /** Only these of its tasks. */
  indices: z.string().optional(),
  /** The job that waits is content with any one of its dependencies. */
  any: z.boolean().optional(),
});
export type GraphEdge = z.infer<typeof GraphEdge>;

/** Jobs that are tied to each other by dependencies or a workflow, by number. */
export const GraphReply = z.object({
  jobs: z.array(JobView),
  edges: z.array(GraphEdge),
  /** There are more than are shown. */
  cut: z.boolean(),
});
export type GraphReply = z.infer<typeof GraphReply>;

/** A workflow as it is now. Jobs that were pruned are missing. */
export const WorkflowView = z.object({
  /** That of its first job. */
  id: z.int(),
  name: z.string().optional(),
  owner: z.string(),
  /** How many jobs were submitted. */
  count: z.int(),
  state: JobStateName,
  /** Set once all its jobs have ended: the highest of theirs; those that were skipped do not count. */
  exitCode: z.int().optional(),
  /** By number; `workflow.key` of each is its key. */
  jobs: z.array(JobView),
  edges: z.array(GraphEdge),
});
export type WorkflowView = z.infer<typeof WorkflowView>;

export const WorkflowReply = z.object({ workflow: WorkflowView, replayed: z.boolean(), dryRun: z.boolean() });
export type WorkflowReply = z.infer<typeof WorkflowReply>;

export const WorkflowVerb = z.enum(['cancel', 'hold', 'release', 'retry']);
export type WorkflowVerb = z.infer<typeof WorkflowVerb>;

export const WorkflowVerbParams = z.object({ ref: z.string().min(1).max(255), verb: WorkflowVerb });

/** Which tasks of all its jobs a verb touches. */
export const WorkflowSelection = RetryRequest.pick({ state: true, where: true });
export type WorkflowSelection = z.infer<typeof WorkflowSelection>;

/** What a verb did. `tasks` counts the tasks it changed, in `jobs` of its jobs. */
export const WorkflowVerbReply = z.object({ workflow: WorkflowView, jobs: z.int(), tasks: z.int() });
export type WorkflowVerbReply = z.infer<typeof WorkflowVerbReply>;
