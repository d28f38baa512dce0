import { z } from 'zod';
import { CompleteAction, EndReason, IdleAction, InstanceState } from './instance.ts';

/**
 * What the coordinator and the agent of one instance tell each other, besides grants and ends: documents that say how things shall be and
 * how they are. Both are sent whole; a newer one replaces what was said before, so nothing depends on the order of steps.
 */

/** All that is fixed of one instance while it lives; written by the provider where the agent finds it. */
export const MachineOrder = z.object({
  id: z.string(),
  name: z.string(),
  jobId: z.int(),
  arrayId: z.string(),
  arrayName: z.string(),
  index: z.int(),
  rank: z.int(),
  /** At launch; a directive may bring another. */
  size: z.int(),
  standalone: z.boolean(),
  type: z.object({ name: z.string(), vcpus: z.number(), memoryBytes: z.int(), gpus: z.int() }),
  region: z.string(),
  zone: z.string(),
  address: z.string(),
  /** Full DNS name of the instance and of its array, and what they end in: `{account}.{domain}`. */
  dns: z.string(),
  groupDns: z.string(),
  dnsSuffix: z.string(),
  /** Where the DNS server listens. */
  dnsServer: z.object({ address: z.string(), port: z.int() }).optional(),
  spot: z.boolean(),
  /** USD an hour. */
  rate: z.number(),
  tags: z.record(z.string(), z.string()),
  /** Added to the environment of everything in the instance: PARAM_*, --env. */
  env: z.record(z.string(), z.string()),
  /** Address of rank 0, and port, for MASTER_ADDR and MASTER_PORT. */
  master: z.object({ address: z.string(), port: z.int() }),
  cwd: z.string(),
  userData: z.string().optional(),
  ttlMode: z.enum(['running', 'wall']),
  ttlMs: z.int(),
  idleTimeoutMs: z.int(),
  idleCpuPercent: z.number(),
  onIdle: IdleAction,
  onComplete: CompleteAction,
  /** Failed attempts are followed by others, so that a failure is final only when the directive says `done`. Absent: that is not known. */
  retries: z.boolean().optional(),
  preStop: z.string().optional(),
  preStopTimeoutMs: z.int(),
  /** From TERM to KILL of an attempt at its task. Absent: that is not known. */
  graceMs: z.int().optional(),
  /** What it may spend over its whole life, USD, until a directive says so. Absent: no limit. */
  costShare: z.number().optional(),
  launchedAt: z.number(),
});
export type MachineOrder = z.infer<typeof MachineOrder>;

/** Coordinator to agent: how the instance shall be. */
export const Directive = z.object({
  /** Grows with each; the agent repeats the last in its reports. One with other `peers` only is no reason for a report of its own. */
  version: z.int(),
  wanted: z.enum(['running', 'stopped', 'hibernated', 'terminated']),
  /** Why it shall stop, hibernate or end. */
  reason: EndReason.optional(),
  /** From the moment this is sent; with `ttlMode` running it counts only while the instance runs. Absent: no TTL. */
  ttlLeftMs: z.number().optional(),
  /** What it may spend over its whole life, USD. Absent: no limit. */
  costShare: z.number().optional(),
  /** JOB_ARRAY_SIZE. */
  size: z.int(),
  /** SLURM_ARRAY_TASK_MAX: the largest index of a member. Absent: it is as it was at launch. */
  maxIndex: z.int().optional(),
  /** Version of the peers document; 0: not all members have run yet, so there is none. */
  peers: z.int(),
  /** Its task has ended for good: nothing comes after. */
  done: z.boolean(),
  /** Notice of an interruption: it ends so many ms after it got this. */
  interruptInMs: z.number().optional(),
});
export type Directive = z.infer<typeof Directive>;

/** Agent to coordinator: how the instance is. Durations only. */
export const InstanceReport = z.object({
  /** Of the last directive that was taken in and carried out, or begun; 0 before the first. */
  version: z.int(),
  state: InstanceState,
  reason: EndReason.optional(),
  message: z.string().max(4_096).optional(),
  /** All time in which it ran, over all starts. */
  ranMs: z.number(),
  ttlLeftMs: z.number().optional(),
  idleMs: z.number().optional(),
  cpuPercent: z.number().optional(),
  /** Warnings given and not yet reported, in words, for an event each. */
  warnings: z
    .array(z.object({ kind: z.enum(['ttl', 'cost', 'idle', 'interrupt']), text: z.string().max(400) }))
    .max(20)
    .optional(),
  /** The signal of `spored complete`. */
  completion: z.object({ status: z.enum(['success', 'failed']), message: z.string().max(4_096).optional() }).optional(),
});
export type InstanceReport = z.infer<typeof InstanceReport>;
