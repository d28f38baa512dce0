import { z } from 'zod';
import { NotifyRule } from './alert.ts';
import { BlobHash } from './blob-hash.ts';
import { InputSpec, JsonValue, OutputSpec, SecretRef, Speculation } from './data.ts';
import { GangSpec } from './gang.ts';
import { InstanceSpec } from './instance.ts';
import {
  DEFAULT_GRACE_MS,
  DEFAULT_LOG_CAP_BYTES,
  DEFAULT_RETRY_MAX_DELAY_MS,
  MAX_ARRAY_TEXT,
  MAX_CANARY,
  MAX_DURATION_MS,
  MAX_ENV_ENTRIES,
  MAX_RETRIES,
} from './limits.ts';
import { Gpus, ResourceAmounts } from './resources.ts';
import { SlurmSpec } from './slurm.ts';

const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes('\0'), 'must not hold a NUL byte')
    // It has no UTF-8, so what runs would get something else.
    .refine((value) => value.isWellFormed(), 'must not hold half a surrogate pair');

/** A time that a date can show. */
export const EpochMs = z.int().min(0).max(8_640_000_000_000_000);

/** What a task runs. A script was stored under its hash at submit, so later edits of the file change nothing. */
export const RunSpec = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('argv'), argv: z.array(text(131_072)).min(1).max(10_000) }),
  z.strictObject({ kind: z.literal('shell'), text: text(1_048_576).min(1) }),
  z.strictObject({
    kind: z.literal('script'),
    hash: BlobHash,
    name: text(255).min(1),
    args: z.array(text(131_072)).max(10_000),
  }),
  /** A function of a TypeScript or JavaScript module, called in a process that stays warm; `spawn:…` are our own. */
  z.strictObject({
    kind: z.literal('handler'),
    /** Relative to the directory of the tasks. */
    module: text(4_096).min(1),
    export: text(255).min(1).default('default'),
  }),
  /** Nothing: the task of an instance without a command ends by `spored complete`. */
  z.strictObject({ kind: z.literal('signal') }),
]);
export type RunSpec = z.infer<typeof RunSpec>;

/** One job as submitted. Every duration is in ms, every size in bytes. */
export const JobSpec = z.strictObject({
  /** Default: made of `slurm.name`, else of the script's file name or the command's first word. */
  name: text(63).optional(),
  /** What it is for, in the words of who submitted it. */
  description: text(10_000).optional(),
  /** Index set as on the wire (a bare number is an index): `0-99:2,200`. Absent: one task, index 0. */
  array: text(MAX_ARRAY_TEXT).optional(),
  /** Tasks leased plus running at once; 0 = no bound. */
  throttle: z.int().min(0).max(1_000_000_000).default(0),
  run: RunSpec,
  /** Variables added to (or replacing) those of the snapshot. */
  env: z
    .record(text(4_096), text(131_072))
    .refine((env) => Object.keys(env).length <= MAX_ENV_ENTRIES, `at most ${MAX_ENV_ENTRIES} variables`)
    .default({}),
  /** Hash of the submitter's environment; absent: a minimal one (PATH, HOME, USER, SHELL, LANG). */
  envSnapshot: BlobHash.optional(),
  cwd: text(4_096).startsWith('/'),
  umask: z.int().min(0).max(0o777).default(0o022),
  cpus: z.number().positive().max(4_096).default(1),
  memoryBytes: z.int().min(0).default(0),
  /** Devices of each task: a whole number, or a fraction below 1 that shares one. */
  gpus: Gpus.default(0),
  /** Named amounts that workers offer. */
  resources: ResourceAmounts.default({}),
  /** It runs on a worker that has nothing else to do, and gets all of it, whatever it needs. */
  exclusive: z.boolean().default(false),
  /** Makes each task a gang of ranks on one or more workers. */
  gang: GangSpec.optional(),
  /** From the start of an attempt; 0 = none. */
  timeLimitMs: z.int().min(0).max(MAX_DURATION_MS).default(0),
  graceMs: z.int().min(0).max(3_600_000).default(DEFAULT_GRACE_MS),
  retries: z.int().min(0).max(MAX_RETRIES).default(0),
  /** Before the first retry; with exponential backoff it doubles with each one. */
  retryDelayMs: z.int().min(0).max(MAX_DURATION_MS).default(0),
  retryBackoff: z.enum(['fixed', 'exponential']).default('fixed'),
  /** Each delay is made up to this part shorter or longer, by chance: 0 to 1. */
  retryJitter: z.number().min(0).max(1).default(0),
  /** No delay grows beyond this; at least retryDelayMs with exponential backoff. */
  retryMaxDelayMs: z.int().min(0).max(MAX_DURATION_MS).default(DEFAULT_RETRY_MAX_DELAY_MS),
  /** Only these ends are tried again, in the grammar of core/failure-filter.ts: `1,100-110,SIGKILL,oom`. Absent: all. */
  retryOn: text(4_096).optional(),
  /** These ends are not tried again. */
  noRetryOn: text(4_096).optional(),
  /** A task whose worker was lost this many times fails. */
  crashLimit: z.int().min(1).max(1_000).default(5),
  /** The job ends (the rest is cancelled) when more tasks than this failed; absent = never. */
  maxFailures: z.int().min(0).optional(),
  /** Dependencies, in the grammar of docs/dependencies.md. */
  after: text(65_536).optional(),
  /** What becomes of a task whose dependency can never be satisfied. */
  invalidDependency: z.enum(['skip', 'wait']).default('skip'),
  hold: z.boolean().default(false),
  /** Nothing starts before this time (epoch ms), or before so long after the submit; not both. */
  beginAt: EpochMs.optional(),
  beginInMs: z.int().min(0).max(MAX_DURATION_MS).optional(),
  /** What has not ended by then is cancelled. As above. */
  deadlineAt: EpochMs.optional(),
  deadlineInMs: z.int().min(1).max(MAX_DURATION_MS).optional(),
  /** So many tasks, chosen by chance, run first; when one of them does not complete, the rest is cancelled. 0 = none. */
  canary: z.int().min(0).max(MAX_CANARY).default(0),
  /** Strict bands; higher runs first. */
  priority: z.int().min(-1_000_000).max(1_000_000).default(0),
  /** Output kept of one attempt, stdout and stderr together; 0 keeps none. */
  logCapBytes: z
    .int()
    .min(0)
    .max(16 * 1024 ** 3)
    .default(DEFAULT_LOG_CAP_BYTES),
  /** Files that get a copy of stdout and stderr, `%A %a %4a %j %J %x %u %N %b %n %t %s %%` replaced; relative to cwd. */
  outputPath: text(4_096).min(1).optional(),
  errorPath: text(4_096).min(1).optional(),
  /** File that is its standard input, in the same patterns; absent: /dev/null. */
  inputPath: text(4_096).min(1).optional(),
  openMode: z.enum(['truncate', 'append']).default('truncate'),
  /** Sent so long before the time limit; to the whole process group, or to the main process alone. */
  signal: z
    .strictObject({
      number: z.int().min(1).max(64),
      beforeMs: z.int().min(1).max(MAX_DURATION_MS),
      mainOnly: z.boolean().default(false),
      /** To what srun started in it, and to nothing else. */
      steps: z.boolean().optional(),
    })
    .optional(),
  /** Name of the submitter, for `%u`; the owner is who the coordinator takes the caller for. */
  user: text(255).optional(),
  /** A packed directory (tar.gz) in `objects/`: each worker unpacks it once a job, and tasks run there in place of `cwd`. */
  stage: BlobHash.optional(),
  /** Makes this an instance array: every index gets a machine of its own. */
  instances: InstanceSpec.optional(),
  /** What its tasks read: each reads one part. The number of parts makes the array, so `array` is absent. */
  input: InputSpec.optional(),
  output: OutputSpec.optional(),
  /** Given to handlers as they are, to commands as PARAM_name and `{param:name}`. */
  params: z.record(text(128).regex(/^[A-Za-z_][A-Za-z0-9_]*$/), JsonValue).optional(),
  /** Blob of kind `params`, as api/param-table.ts has it: an object of parameters for each task in order, over `params`. */
  paramTable: BlobHash.optional(),
  /** Variables of the tasks with values that are not written down: read by the worker. */
  secrets: z.record(text(255).regex(/^[A-Za-z_][A-Za-z0-9_]*$/), SecretRef).optional(),
  /** An attempt that says no progress for so long is ended as stalled; 0 = never. */
  heartbeatMs: z.int().min(0).max(MAX_DURATION_MS).default(0),
  /** The job has succeeded when at least this part of its tasks has; those that failed are told, and dependents go on. */
  minSuccess: z.number().gt(0).max(1).default(1),
  speculation: Speculation.optional(),
  /** So many tasks are granted to a worker at once, however long they take; 0: by their measured duration. */
  pack: z.int().min(0).max(100_000).default(0),
  /** Who is told what of it. */
  notify: z.array(NotifyRule).max(20).optional(),
  /** Set by the coordinator: what this job does for another one. */
  role: z.strictObject({ kind: z.enum(['plan', 'collect']), of: z.int().min(1) }).optional(),
  /** Set by the coordinator: the jobs submitted with it have the numbers from `first` on. */
  workflow: z
    .strictObject({
      first: z.int().min(1),
      count: z.int().min(1),
      key: text(63).min(1),
      name: text(63).optional(),
      /** When this job fails, all that waits of the others is cancelled. */
      stop: z.boolean().optional(),
    })
    .optional(),
  /** What Slurm's commands show of a job, and by which names they find it. */
  slurm: SlurmSpec.optional(),
});
export type JobSpec = z.infer<typeof JobSpec>;
/** What a client sends: defaults may be left out. */
export type JobSpecInput = z.input<typeof JobSpec>;
