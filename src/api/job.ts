import { z } from 'zod';
import { OUTCOME_KINDS } from '../core/outcome.ts';
import { GangSpec, NodeShare } from './gang.ts';
import { EpochMs, JobSpec } from './job-spec.ts';
import { MAX_DURATION_MS, MAX_PAGE } from './limits.ts';
import { Gpus, ResourceAmounts } from './resources.ts';
import { SlurmSpec, SlurmUpdate } from './slurm.ts';
import { whole } from './whole.ts';

export const TaskStateName = z.enum([
  'blocked',
  'ready',
  'leased',
  'running',
  'completed',
  'failed',
  'cancelled',
  'skipped',
]);
export type TaskStateName = z.infer<typeof TaskStateName>;

export const JobStateName = z.enum([
  'running',
  'ready',
  'held',
  'blocked',
  'failed',
  'cancelled',
  'skipped',
  'completed',
]);
export type JobStateName = z.infer<typeof JobStateName>;

/** Tasks by state. They add up to the job's size. */
export const Counts = z.record(TaskStateName, z.int());
export type Counts = z.infer<typeof Counts>;

export const SubmitRequest = z.strictObject({
  spec: JobSpec,
  /** The same key with the same body happens once; with another body it is refused. */
  idempotencyKey: z.string().min(1).max(200).optional(),
  /** Check everything, change nothing. */
  dryRun: z.boolean().optional(),
});
export type SubmitRequest = z.infer<typeof SubmitRequest>;
export type SubmitRequestInput = z.input<typeof SubmitRequest>;

/** A job as shown to clients. Times are epoch ms by the coordinator's clock. */
export const JobView = z.object({
  id: z.int(),
  arrayId: z.string(),
  name: z.string(),
  owner: z.string(),
  state: JobStateName,
  /** Why it is in that state, where there is more to say. */
  reason: z.string().optional(),
  /** Canonical index set, absent for a job of one task that is not an array. */
  array: z.string().optional(),
  size: z.int(),
  throttle: z.int(),
  held: z.boolean(),
  priority: z.int(),
  counts: Counts,
  /** Of those that run, how many stand still. */
  suspended: z.int().optional(),
  /** One line for people. */
  command: z.string(),
  cwd: z.string(),
  /** Patterns of the files that were named, as they were submitted. */
  outputPath: z.string().optional(),
  errorPath: z.string().optional(),
  inputPath: z.string().optional(),
  after: z.string().optional(),
  cpus: z.number(),
  memoryBytes: z.int(),
  timeLimitMs: z.int(),
  gpus: z.number().optional(),
  resources: ResourceAmounts.optional(),
  /** Nothing starts before. */
  beginAt: z.number().optional(),
  /** What has not ended then is cancelled. */
  deadlineAt: z.number().optional(),
  canary: z.enum(['running', 'passed', 'failed']).optional(),
  retries: z.int(),
  /** Attempts that ended and were followed by another. */
  retried: z.int(),
  createdAt: z.number(),
  startedAt: z.number().optional(),
  endedAt: z.number().optional(),
  /** Set once every task has ended: the highest task code (128+n for a signal, 124 time limit, 1 other ends). */
  exitCode: z.int().optional(),
  /** Smoothed wall time of an attempt, ms; absent before the first end. */
  meanWallMs: z.number().optional(),
  /** Every index has an instance of its own; absent: tasks run on workers. */
  instances: z.boolean().optional(),
  /** Each task has a worker to itself. */
  exclusive: z.boolean().optional(),
  /** Each task is a gang: `cpus` is of all its nodes, `memoryBytes`, `gpus` and `resources` are of each. */
  gang: GangSpec.optional(),
  /** As submitted with Slurm's commands, and as changed since. */
  slurm: SlurmSpec.optional(),
  /** Of one with an input: the job that plans it, if there is one, and how many parts it has, once that is known. */
  plan: z.object({ job: z.int().optional(), parts: z.int().optional() }).optional(),
  minSuccess: z.number().optional(),
  /** How far it is, 0 to 1, where its tasks have said how far they are; what it does for another job, and which were submitted with it. */
  progress: z.number().optional(),
  role: JobSpec.shape.role,
  workflow: JobSpec.shape.workflow,
});
export type JobView = z.infer<typeof JobView>;

export const SubmitReply = z.object({ job: JobView, replayed: z.boolean(), dryRun: z.boolean() });
export type SubmitReply = z.infer<typeof SubmitReply>;

/** `deadline` and `dependency` of tasks that were cancelled or skipped for that; else how the attempt ended. */
export const EndCause = z.enum([...OUTCOME_KINDS, 'deadline', 'dependency']);
export type EndCause = z.infer<typeof EndCause>;

/** A task as shown to clients. */
export const TaskView = z.object({
  id: z.string(),
  jobId: z.int(),
  index: z.int(),
  rawId: z.int(),
  state: TaskStateName,
  reason: z.string().optional(),
  /** Number of the last attempt; 0 before the first. */
  attempt: z.int(),
  failures: z.int(),
  /** A worker was told to stop what runs. */
  stopping: z.boolean().optional(),
  /** It runs and its processes stand still, since then. */
  suspended: z.boolean().optional(),
  suspendedAt: z.number().optional(),
  /** How long the attempt stood still before; no part of `wallMs`. */
  suspendedMs: z.number().optional(),
  /** What ended the task, or its last ended attempt while it has not ended. */
  cause: EndCause.optional(),
  /** How the last ended attempt ended, for people: `exit 3`, `SIGKILL (9)`, `time limit`. */
  outcome: z.string().optional(),
  exitCode: z.int().optional(),
  signal: z.int().optional(),
  /**
   * What the main process of that attempt ended with, also where a limit or a cancel made it end; absent when that is not known, and of one that
   * was never run because its files could not be opened or its directory not be entered.
   */
  process: z.object({ code: z.int().optional(), signal: z.int().optional() }).optional(),
  startedAt: z.number().optional(),
  endedAt: z.number().optional(),
  wallMs: z.number().optional(),
  cpuMs: z.number().optional(),
  maxRssBytes: z.int().optional(),
  worker: z.string().optional(),
  /** Of an exclusive task or a gang, while it is leased or runs: what it has of each worker, in the order of ranks, `worker` first. */
  nodes: z.array(NodeShare).optional(),
  outBytes: z.int().optional(),
  errBytes: z.int().optional(),
  /** Bytes of output cut out by the cap, and bytes that could not be written. */
  cutBytes: z.int().optional(),
  missingBytes: z.int().optional(),
  /** How far the attempt that runs says it is, 0 to 1, and what it says beside that. */
  progress: z.object({ fraction: z.number(), message: z.string().optional() }).optional(),
  /** Its parameters, those of the job among them. */
  params: z.record(z.string(), z.unknown()).optional(),
});
export type TaskView = z.infer<typeof TaskView>;

export const JobsQuery = z.strictObject({
  /** `live` (default): not ended; `all`: ended ones too, newest first. */
  show: z.enum(['live', 'all']).default('live'),
  name: z.string().max(255).optional(),
  /** Only jobs that Slurm's commands show under this name: `slurm.name`, else their own. */
  slurmName: z.string().max(1_024).optional(),
  limit: whole(z.int().min(1).max(MAX_PAGE)).prefault(1_000),
  /** Jobs with a smaller number than this: the key of the page before. */
  before: whole().optional(),
});
export type JobsQuery = z.infer<typeof JobsQuery>;
export type JobsQueryInput = z.input<typeof JobsQuery>;
export const JobsReply = z.object({ jobs: z.array(JobView), next: z.int().optional() });
export type JobsReply = z.infer<typeof JobsReply>;

export const TasksQuery = z.strictObject({
  /** Comma-separated states. */
  state: z.string().max(200).optional(),
  /** Index set as on the wire. */
  index: z.string().max(65_536).optional(),
  limit: whole(z.int().min(1).max(MAX_PAGE)).prefault(1_000),
  /** Position after which to go on: the key of the page before. */
  after: whole(z.int().min(-1)).prefault(-1),
});
export type TasksQuery = z.infer<typeof TasksQuery>;
export type TasksQueryInput = z.input<typeof TasksQuery>;
export const TasksReply = z.object({ tasks: z.array(TaskView), next: z.int().optional() });
export type TasksReply = z.infer<typeof TasksReply>;

/** Which tasks of a job a verb touches: all of the conditions hold; absent = all it makes sense for. */
export const Selection = z.strictObject({
  index: z.string().max(1_048_576).optional(),
  /** Comma-separated states. */
  state: z.string().max(200).optional(),
  /** How their last attempt ended, in the grammar of core/failure-filter.ts: `exit=137`, `cause=oom`, `signal=KILL`. */
  where: z.string().max(4_096).optional(),
});
export type Selection = z.infer<typeof Selection>;

/** What tasks that run again get instead of what they had; times and a fixed amount exclude each other. */
export const RetryRequest = Selection.extend({
  memoryTimes: z.number().positive().max(1_000).optional(),
  memoryBytes: z.int().min(0).optional(),
  timeLimitTimes: z.number().positive().max(1_000).optional(),
  timeLimitMs: z.int().min(0).max(MAX_DURATION_MS).optional(),
});
export type RetryRequest = z.infer<typeof RetryRequest>;

/** Which tasks to send back whatever they did. */
export const RequeueRequest = Selection.extend({
  /** Tasks that are sent back are held, each by itself. */
  hold: z.boolean().optional(),
});
export type RequeueRequest = z.infer<typeof RequeueRequest>;

/** A signal for the processes of tasks that run. */
export const SignalRequest = Selection.extend({
  signal: z.int().min(1).max(64),
  /** `all`: the whole process group of each; `main`: its main process alone; `steps`: what `srun` started in it, and nothing else. */
  scope: z.enum(['all', 'main', 'steps']).default('all'),
});
export type SignalRequest = z.infer<typeof SignalRequest>;
/** What a client sends: defaults may be left out. */
export type SignalRequestInput = z.input<typeof SignalRequest>;

/** What a verb did. `tasks` counts the tasks it changed. */
export const VerbReply = z.object({ job: JobView, tasks: z.int() });
export type VerbReply = z.infer<typeof VerbReply>;

/** What is to change; with a selection of tasks only priority, timeLimitMs, memoryBytes, cpus, gpus and after may. */
export const UpdateRequest = Selection.extend({
  /** 0 removes the throttle. */
  throttle: z.int().min(0).max(1_000_000_000).optional(),
  priority: z.int().min(-1_000_000).max(1_000_000).optional(),
  /** Also of what runs; 0 = none. */
  timeLimitMs: z.int().min(0).max(MAX_DURATION_MS).optional(),
  /** These three: of attempts that start from now on. */
  memoryBytes: z.int().min(0).optional(),
  cpus: z.number().positive().max(4_096).optional(),
  gpus: Gpus.optional(),
  /** Dependencies of tasks that have not started, instead of those they had; '' = none. */
  after: z.string().max(65_536).optional(),
  /** null removes it. */
  beginAt: EpochMs.nullable().optional(),
  beginInMs: z.int().min(0).max(MAX_DURATION_MS).optional(),
  deadlineAt: EpochMs.nullable().optional(),
  deadlineInMs: z.int().min(1).max(MAX_DURATION_MS).optional(),
  maxFailures: z.int().min(0).nullable().optional(),
  /** Where tasks write that start from now on, as in JobSpec; only while no worker has any of its tasks. */
  outputPath: JobSpec.shape.outputPath,
  /** What Slurm's commands show; what is not given stays, an empty text removes it. */
  slurm: SlurmUpdate.optional(),
});
export type UpdateRequest = z.infer<typeof UpdateRequest>;

/** Query of a log: bytes come as the records of core/log-record.ts, one after another. */
export const LogQuery = z.strictObject({
  index: z.string().max(65_536).optional(),
  stream: z.enum(['out', 'err', 'both']).default('both'),
  /** Comma-separated states: only tasks that are in one of them now. */
  state: z.string().max(200).optional(),
  /** Only the last so many lines of each attempt. */
  tail: whole(z.int().min(0).max(1_000_000)).optional(),
  /** Default: the last attempt of each task. */
  attempt: whole(z.int().min(1)).optional(),
  /** Go on until every selected task has ended. */
  follow: z
    .enum(['0', '1'])
    .default('0')
    .transform((value) => value === '1'),
});
export type LogQuery = z.infer<typeof LogQuery>;
export type LogQueryInput = z.input<typeof LogQuery>;

/** One server-sent event of GET /v1/jobs/:ref/watch: sent at once, then when something changed. */
export const JobDelta = z.object({
  id: z.int(),
  state: JobStateName,
  counts: Counts,
  /** As in JobView. */
  suspended: z.int().optional(),
  progress: z.number().optional(),
  retried: z.int(),
  endedAt: z.number().optional(),
  exitCode: z.int().optional(),
});
export type JobDelta = z.infer<typeof JobDelta>;

/** Every error reply. */
export const ErrorReply = z.object({
  error: z.object({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()) }),
});
export type ErrorReply = z.infer<typeof ErrorReply>;
