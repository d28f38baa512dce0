import { z } from 'zod';

/** Text of one line: it is printed among other fields, and a control character there would forge some. */
const line = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((value) => !CONTROL.test(value), 'must not hold control characters')
    .refine((value) => value.isWellFormed(), 'must not hold half a surrogate pair');

const CONTROL = /\p{Cc}/u;

/** Slurm: sbatch(1), --mail-type. */
const SlurmMailType = z.enum([
  'NONE',
  'BEGIN',
  'END',
  'FAIL',
  'REQUEUE',
  'ALL',
  'INVALID_DEPEND',
  'STAGE_OUT',
  'TIME_LIMIT',
  'TIME_LIMIT_90',
  'TIME_LIMIT_80',
  'TIME_LIMIT_50',
  'ARRAY_TASKS',
]);

const Count = z.int().min(1).max(1_000_000);

/**
 * What a job submitted with Slurm's commands has besides. It is shown as it was given; what the coordinator acts on are the fields beside it in the
 * job, and of these `name` (for `singleton`) and `requeue`.
 */
export const SlurmSpec = z.strictObject({
  /** As given with --job-name: any text. The job's own name is made of it when none is given. */
  name: line(1_024).optional(),
  comment: z.union([z.literal(''), line(4_096)]).optional(),
  account: line(1_024).optional(),
  partition: line(1_024).optional(),
  qos: line(1_024).optional(),
  wckey: line(1_024).optional(),
  reservation: line(1_024).optional(),
  constraint: line(4_096).optional(),
  licenses: line(4_096).optional(),
  nodelist: line(65_536).optional(),
  excludeNodes: line(65_536).optional(),
  /** Sends mail where the coordinator has an SMTP server: alerts/rules.ts of the coordinator. */
  mailType: z.array(SlurmMailType).max(32).optional(),
  mailUser: line(1_024).optional(),
  /** The job's priority is its negative. */
  nice: z.int().min(-2_147_483_645).max(2_147_483_645).optional(),
  /** False: `requeue` is refused, and an attempt that is lost or preempted is not followed by another. Default true. */
  requeue: z.boolean().optional(),
  /** Path of the script and its arguments, as squeue's `%o` shows them. */
  command: line(131_072).optional(),
  /** Fewest and most nodes asked for. */
  nodes: z.strictObject({ min: Count, max: Count }).optional(),
  ntasks: Count.optional(),
  ntasksPerNode: Count.optional(),
  cpusPerTask: Count.optional(),
  /** `node`: no other job beside it; `user`, `mcs`: none of another user or group. */
  exclusive: z.enum(['node', 'user', 'mcs']).optional(),
  /** As given with --gres or --gpus: `gpu:a100:2`. */
  gres: line(4_096).optional(),
  /** What the memory was given for; absent: it was not given. */
  memPer: z.enum(['node', 'cpu', 'gpu']).optional(),
  /** What was given for each CPU or GPU. */
  memPerBytes: z.int().min(0).optional(),
  submitHost: line(255).optional(),
  /** Where it was submitted from, if tasks run in another directory. */
  submitDir: line(4_096).optional(),
  /** Of the submitter, for squeue's `%U` and `%g`; rights come from the owner alone. */
  uid: z.int().min(0).max(4_294_967_295).optional(),
  gid: z.int().min(0).max(4_294_967_295).optional(),
  group: line(255).optional(),
  /** What was accepted and has no effect, one sentence each. */
  notes: z.array(line(1_024)).max(100).optional(),
});
export type SlurmSpec = z.infer<typeof SlurmSpec>;

/** The text of a field, or '' to remove it. */
const clearable = (max: number) => z.union([z.literal(''), line(max)]).optional();

/** What of it may be changed while the job lives. */
export const SlurmUpdate = SlurmSpec.pick({ name: true, mailType: true, nice: true, requeue: true }).extend({
  comment: clearable(4_096),
  account: clearable(1_024),
  partition: clearable(1_024),
  qos: clearable(1_024),
  wckey: clearable(1_024),
  reservation: clearable(1_024),
  constraint: clearable(4_096),
  licenses: clearable(4_096),
  nodelist: clearable(65_536),
  excludeNodes: clearable(65_536),
  mailUser: clearable(1_024),
});
export type SlurmUpdate = z.infer<typeof SlurmUpdate>;

/** The part of it that tasks are told of; a worker leaves out what it does not know. */
export const SlurmForWorker = z.object(
  SlurmSpec.pick({
    name: true,
    account: true,
    partition: true,
    qos: true,
    ntasks: true,
    ntasksPerNode: true,
    cpusPerTask: true,
    memPer: true,
    memPerBytes: true,
    submitHost: true,
    submitDir: true,
    uid: true,
    gid: true,
  }).shape,
);
