import { z } from 'zod';
import { InputSpec, OutputSpec, Planned, SecretRef } from './data.ts';
import { GangMessage, MemberEndMessage, MemberMessage, MemberReport, Placement } from './gang.ts';
import { Directive, InstanceReport } from './instance-session.ts';
import { JobSpec, RunSpec } from './job-spec.ts';
import { ResourceAmounts } from './resources.ts';
import { SlurmForWorker } from './slurm.ts';

/**
 * The workers' protocol: two lanes for each session.
 * - `POST /v1/sessions/:id/exchange`: what the worker has to say, numbered by `seq`; the last reply is replayed for a repeated seq.
 * - `GET /v1/sessions/:id/stream?after=N`: newline-separated StreamMessages, numbered by `n`; those after N are sent again.
 * A run `[base, count]` stands for the fences base … base+count-1.
 */
const Fence = z.int().min(1);
export const FenceRun = z.tuple([Fence, z.int().min(1)]);
export type FenceRun = z.infer<typeof FenceRun>;
/** `[fence, position, count]`: fence+i is the right to run the task at position+i. */
export const GrantRun = z.tuple([Fence, z.int().min(0), z.int().min(1)]);
export type GrantRun = z.infer<typeof GrantRun>;

/** What a worker offers. */
export const Resources = z.strictObject({
  cpus: z.number().positive(),
  memoryBytes: z.int().min(0),
  /** Whole devices; absent: none. */
  gpus: z.int().min(0).max(1_024).optional(),
  named: ResourceAmounts.optional(),
  /** Most tasks at once, whatever they need; absent: as the rest allows. */
  slots: z.int().min(1).max(1_000_000).optional(),
});
export type Resources = z.infer<typeof Resources>;

/** Is shown to people, whose terminals it must not steer. */
const Label = z
  .string()
  .max(255)
  .regex(/^\P{Cc}*$/u, 'without control characters');

export const HelloRequest = z.strictObject({
  /** For people; need not be unique. */
  worker: Label.min(1),
  host: Label,
  pid: z.int(),
  /** Both processes must be gone before a provider calls this session's machine gone. */
  forkerPid: z.int().optional(),
  bootId: z.string().max(100),
  /** The id under which a provider started this agent. */
  instance: Label.optional(),
  /**
   * Of an agent whose instance is bound to one index of a job. `resume`: its session before the agent started anew, if that was not closed the
   * reply names it again, its open grants are sent again, and `seq` begins at 1.
   */
  bound: z.strictObject({ resume: z.int().optional() }).optional(),
  resources: Resources,
  api: z.int(),
  version: Label.max(100),
});
export type HelloRequest = z.infer<typeof HelloRequest>;

export const HelloReply = z.object({
  sessionId: z.int(),
  /** Term of the lease from the moment the worker SENT an exchange that was answered. */
  leaseMs: z.int(),
  /** Send an exchange at least this often. */
  heartbeatMs: z.int(),
  /** Absent: the worker ships its segments by PUT /v1/sessions/:id/logs/… Else: where segments go when the worker shares the coordinator's disk. */
  logDir: z.string().optional(),
  /** The worker shares the coordinator's kernel, so a suspend stops both: the watchdog then runs on CLOCK_MONOTONIC. */
  sameHost: z.boolean(),
  storeId: z.string(),
  /** The session that was asked for goes on. */
  resumed: z.boolean().optional(),
  /** Of such a session: `ack` and `after` begin with it, which tells this agent from the one before. */
  after: z.int().optional(),
});
export type HelloReply = z.infer<typeof HelloReply>;

/** Needs and limits of tasks that differ from those of their job; named by its number in grants, 0 being the job's own. */
const LaneForWorker = z.object({
  lane: z.int().min(1),
  cpus: z.number(),
  memoryBytes: z.int(),
  gpus: z.number(),
  resources: ResourceAmounts,
  timeLimitMs: z.int(),
});

/** All a worker needs to know of a job; sent before its first grant on a session. */
export const JobForWorker = z.object({
  id: z.int(),
  arrayId: z.string(),
  name: z.string(),
  owner: z.string(),
  /** Whether the submitter asked for an array: SLURM_ARRAY_* are set only then. */
  isArray: z.boolean(),
  indices: z.string(),
  size: z.int(),
  throttle: z.int(),
  rawIdBase: z.int(),
  after: z.string().optional(),
  run: RunSpec,
  env: z.record(z.string(), z.string()),
  envSnapshot: z.string().optional(),
  cwd: z.string(),
  umask: z.int(),
  cpus: z.number(),
  memoryBytes: z.int(),
  timeLimitMs: z.int(),
  graceMs: z.int(),
  logCapBytes: z.int(),
  /** The following are of API 2: a worker of API 1 gets no job that needs them. */
  gpus: z.number().optional(),
  resources: ResourceAmounts.optional(),
  outputPath: z.string().optional(),
  errorPath: z.string().optional(),
  inputPath: z.string().optional(),
  openMode: z.enum(['truncate', 'append']).optional(),
  signal: JobSpec.shape.signal,
  user: z.string().optional(),
  stage: z.string().optional(),
  slurm: SlurmForWorker.optional(),
  input: InputSpec.optional(),
  /** Blob with the manifest of the plan; of a job that reads an input and is no planning job. */
  plan: z.string().optional(),
  output: OutputSpec.optional(),
  params: JobSpec.shape.params,
  paramTable: z.string().optional(),
  secrets: z.record(z.string(), SecretRef).optional(),
  heartbeatMs: z.int().optional(),
  role: JobSpec.shape.role,
  /** Sent again, whole, when one was added. */
  lanes: z.array(LaneForWorker).optional(),
});
export type JobForWorker = z.infer<typeof JobForWorker>;

export const StreamMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('job'), n: z.int(), job: JobForWorker }),
  z.object({
    type: z.literal('grant'),
    n: z.int(),
    job: z.int(),
    runs: z.array(GrantRun),
    /** Number of the lane; absent: 0. */
    lane: z.int().min(1).optional(),
    /** Attempt number of every task of the message, or one number a task in order of runs. */
    attempt: z.union([z.int(), z.array(z.int())]),
    /** Of an exclusive task or a gang, of which a message carries one. */
    placement: Placement.optional(),
  }),
  MemberMessage,
  MemberEndMessage,
  GangMessage,
  /** Give back what has not started (answered by `returned`); what has started goes on. */
  z.object({ type: z.literal('revoke'), n: z.int(), fences: z.array(FenceRun) }),
  /** Stop: unstarted ones are given back, running ones get TERM, then KILL, and end as cancelled. */
  z.object({ type: z.literal('cancel'), n: z.int(), fences: z.array(FenceRun) }),
  /** These fences are no longer yours: stop them and do not report. */
  z.object({ type: z.literal('drop'), n: z.int(), fences: z.array(FenceRun) }),
  /** The time limit of these, from their start, is another one now; 0 = none. */
  z.object({ type: z.literal('limit'), n: z.int(), fences: z.array(FenceRun), timeLimitMs: z.int().min(0) }),
  /** Those of them that run stand still, and their time limit with them. */
  z.object({ type: z.literal('suspend'), n: z.int(), fences: z.array(FenceRun) }),
  /** And these go on. */
  z.object({ type: z.literal('resume'), n: z.int(), fences: z.array(FenceRun) }),
  /** Pass a signal on to those of them that run. */
  z.object({
    type: z.literal('signal'),
    n: z.int(),
    fences: z.array(FenceRun),
    signal: z.int().min(1).max(64),
    mainOnly: z.boolean(),
    /** To what srun started in them, and to nothing else. */
    steps: z.boolean().optional(),
  }),
  /** The job is out of memory here: forget its description. */
  z.object({ type: z.literal('forget'), n: z.int(), job: z.int() }),
  /** Take no more, finish what runs, then close the session. */
  z.object({ type: z.literal('drain'), n: z.int() }),
  /** To the agent of a bound instance only. */
  z.object({ type: z.literal('instance'), n: z.int(), directive: Directive }),
  /** Sent when nothing else was for a while, so that a half-open link is noticed. Not numbered. */
  z.object({ type: z.literal('ping') }),
]);
export type StreamMessage = z.infer<typeof StreamMessage>;

const column = z.array(z.number());

/** What an attempt says of itself while it runs. */
export const Progress = z.strictObject({
  fence: Fence,
  /** Of its work, 0 to 1. */
  fraction: z.number().min(0).max(1),
  message: z.string().max(1_000).optional(),
});
export type Progress = z.infer<typeof Progress>;

/**
 * Attempts that ended, as columns with one entry a fence, in the order of `runs`. A column left out is all zeros.
 * A start that was not reported before is implied.
 */
export const Ends = z.strictObject({
  runs: z.array(FenceRun),
  /** encodeOutcome() of core/outcome.ts. */
  outcome: column.optional(),
  wallUs: column.optional(),
  cpuUs: column.optional(),
  maxRssKb: column.optional(),
  /** Where its records begin and end; see LogRef in core/log-ref.ts. */
  logSegment: column.optional(),
  logOffset: column.optional(),
  logEndSegment: column.optional(),
  logEndOffset: column.optional(),
  outBytes: column.optional(),
  errBytes: column.optional(),
  cutBytes: column.optional(),
  missingBytes: column.optional(),
  /** Where its result lies, as records of the stream RESULT, and how long they are with their headers; 0: it has none. */
  resultSegment: column.optional(),
  resultOffset: column.optional(),
  resultBytes: column.optional(),
});
export type Ends = z.infer<typeof Ends>;

export const Starts = z.strictObject({
  fences: z.array(Fence),
  /** How long ago, on the worker's clock, each started, ms. */
  agoMs: column.optional(),
  logSegment: column.optional(),
  logOffset: column.optional(),
});
export type Starts = z.infer<typeof Starts>;

export const ExchangeRequest = z.strictObject({
  seq: z.int().min(1),
  /** Number of the last stream message taken in. */
  ack: z.int().min(0),
  starts: Starts.optional(),
  ends: Ends.optional(),
  /** Unstarted grants given back: after a revoke or cancel, or because of a drain. */
  returned: z.array(FenceRun).optional(),
  /** What is held after this exchange: number of fences and their sum modulo 2^48. */
  held: z.strictObject({ count: z.int().min(0), sum: z.int().min(0) }),
  /** The whole list, when the last reply asked for it or after a reconnect. */
  heldRuns: z.array(FenceRun).optional(),
  /** Those of heldRuns that have started. */
  startedRuns: z.array(FenceRun).optional(),
  /** Plans that were made here; said before the end of their attempts. */
  planned: z.array(Planned).max(1_000).optional(),
  /** How far attempts are, where that has changed; the last word counts. */
  progress: z.array(Progress).max(10_000).optional(),
  /** Members of gangs that became ready here, or failed. */
  members: z.array(MemberReport).optional(),
  /** With heldRuns: fences of all gangs of which a member is here. */
  heldMembers: z.array(Fence).optional(),
  /** Send no more grants. */
  draining: z.boolean().optional(),
  /** From the agent of a bound instance, whenever it changed. */
  instance: InstanceReport.optional(),
});
export type ExchangeRequest = z.infer<typeof ExchangeRequest>;

export const ExchangeReply = z.object({
  seq: z.int(),
  leaseMs: z.int(),
  /** Reports whose fence was not current: answered, counted, changed nothing. */
  stale: z.int(),
  /** Send heldRuns and startedRuns with the next exchange. */
  resync: z.boolean(),
  /** The store refuses writes for now (disk full): the lease is renewed, nothing else was taken; send the same seq again in a moment. */
  deferred: z.boolean(),
});
export type ExchangeReply = z.infer<typeof ExchangeReply>;
