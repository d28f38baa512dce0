import { z } from 'zod';
import { INSTANCE_STATES } from '../core/instance.ts';
import { BlobHash } from './blob-hash.ts';
import { MAX_DURATION_MS, MAX_PAGE } from './limits.ts';
import { whole } from './whole.ts';

/**
 * Instances: machines, or sandboxes on this one, each bound to one index of a job. A job with an `instances` part in its spec is an
 * instance array; every index of it gets an instance, and the attempt at that task runs there and nowhere else.
 */

/** DNS label: what a name of an array or of an instance must be. */
const DnsLabel = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and "-" inside');

const text = (max: number) =>
  z
    .string()
    .max(max)
    // A tag, a name or a command is shown to people and written to files line by line.
    .regex(/^\P{Cc}*$/u, 'without control characters');

/** `k=v` of --tag; keys that begin with `spawn:` are ours. */
const Tags = z
  .record(
    text(128)
      .min(1)
      .refine((key) => !key.startsWith('spawn:') && !key.startsWith('array:'), 'must not begin with spawn: or array:'),
    text(256),
  )
  .refine((tags) => Object.keys(tags).length <= 50, 'at most 50 tags');

/** Part of the name of a variable, and of a file that shells read. */
const ParamName = z
  .string()
  .max(128)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'letters, digits and "_", no digit first');
const ParamValue = z
  .string()
  .max(65_536)
  .regex(/^[^\0\r\n]*$/, 'one line without NUL');

/** An amount of USD. */
export const Usd = z.number().min(0).max(1e9);
const DurationMs = z.int().min(0).max(MAX_DURATION_MS);

/** What becomes of an instance when it is idle: see docs/lifecycle.md. */
export const IdleAction = z.enum(['stop', 'hibernate', 'terminate']);
export const CompleteAction = z.enum(['none', 'terminate', 'stop', 'hibernate']);

/** The part of a JobSpec that makes it an instance array. Durations in ms, prices in USD. */
export const InstanceSpec = z.strictObject({
  /** Who starts the instances. */
  provider: z.enum(['local']).default('local'),
  /** Of core/instance-types.ts. */
  type: text(64).min(1).default('t3.micro'),
  /** A label; where there is no zone in the spec, members are spread over the zones of the region by index. */
  region: DnsLabel.default('local'),
  zone: DnsLabel.optional(),
  /** Of each member: `{index} {index:03} {job-array-name} {name}`. */
  names: text(255).min(1).default('{job-array-name}-{index}'),
  /** One instance that is no array: listed under "Standalone Instances", name without an index. */
  standalone: z.boolean().default(false),
  /** 0 = none. From the first moment it runs; with `ttlMode` running, only time in which it runs counts. */
  ttlMs: DurationMs.default(0),
  ttlMode: z.enum(['running', 'wall']).default('running'),
  /** 0 = never idle. */
  idleTimeoutMs: DurationMs.default(0),
  idleCpuPercent: z.number().min(0).max(100).default(5),
  onIdle: IdleAction.default('stop'),
  onComplete: CompleteAction.default('none'),
  /** Before a stop, a hibernation, a termination or an interruption, in the instance, as a shell command. */
  preStop: text(4_096).optional(),
  preStopTimeoutMs: DurationMs.default(300_000),
  spot: z.boolean().default(false),
  /** USD an hour; a type whose spot price is higher is refused. */
  spotMaxPrice: Usd.optional(),
  /** Takes the place of the array's name in all DNS names. */
  dns: DnsLabel.optional(),
  tags: Tags.default({}),
  /** Script that runs at the first start; without a shebang it runs under sh. */
  userData: BlobHash.optional(),
  /** The launch is a success when so many members run; absent: all. */
  minViable: z.int().min(1).max(1_000_000).optional(),
  /** When fewer do: `cleanup` terminates those that run, `keep` leaves them, `fail-all` also fails every task. */
  onFailure: z.enum(['cleanup', 'keep', 'fail-all']).default('cleanup'),
  /** When the task of one member fails, all others are ended. */
  failAllOnOne: z.boolean().default(false),
  /** Between the start of two members. */
  launchDelayMs: DurationMs.default(0),
  /** USD of all members together, over the life of the array. */
  costLimit: Usd.optional(),
  /** How often a member that was lost or interrupted gets another machine under the same name. */
  replacements: z.int().min(0).max(1_000).default(0),
  /** Refuse a type that is larger than this machine, in place of sharing what there is. */
  strict: z.boolean().default(false),
  /** One entry a member, in order of index: `PARAM_name=value` in its environment, shown by list. */
  params: z.array(z.record(ParamName, ParamValue)).max(MAX_PAGE).optional(),
});
export type InstanceSpec = z.infer<typeof InstanceSpec>;

export const InstanceState = z.enum(INSTANCE_STATES);
export type InstanceState = z.infer<typeof InstanceState>;

/** Why an instance stopped, hibernated or ended; kept with it and shown. */
export const EndReason = z.enum([
  'user',
  'completed',
  'ttl',
  'cost-limit',
  'budget',
  'idle',
  'interrupted',
  'lost',
  'launch-failed',
  'array-failed',
  'resized',
  'replaced',
  'cancelled',
]);
export type EndReason = z.infer<typeof EndReason>;

export const InstanceView = z.object({
  id: z.string(),
  name: z.string(),
  state: InstanceState,
  /** Of its last stop, hibernation or end. */
  reason: EndReason.optional(),
  /** More on it, for people: what a failed launch said, the text given to `spored complete`. */
  message: z.string().optional(),
  type: z.string(),
  region: z.string(),
  zone: z.string(),
  /** Absent until it has one; on this machine both are its loopback address. */
  publicIp: z.string().optional(),
  privateIp: z.string().optional(),
  /** Full name; absent while it has none. */
  dns: z.string().optional(),
  spot: z.boolean(),
  jobId: z.int(),
  arrayId: z.string(),
  arrayName: z.string(),
  /** Position in the array is `rank`; `index` is the index. */
  index: z.int(),
  rank: z.int(),
  arraySize: z.int(),
  standalone: z.boolean(),
  owner: z.string(),
  /** State of its task. */
  task: z.string(),
  createdAt: z.number(),
  /** First moment it ran. */
  launchedAt: z.number().optional(),
  endedAt: z.number().optional(),
  ttlMs: z.int(),
  /** Until its TTL ends, as far as is known; absent: no TTL, or ended. */
  ttlLeftMs: z.number().optional(),
  idleTimeoutMs: z.int(),
  /** It was idle for so long. */
  idleMs: z.number().optional(),
  cpuPercent: z.number().optional(),
  /** In which it was charged. */
  ranMs: z.number(),
  /** USD an hour, and so far. */
  rate: z.number(),
  cost: z.number(),
  /** User's tags and ours (`spawn:…`). */
  tags: z.record(z.string(), z.string()),
  params: z.record(z.string(), z.string()).optional(),
  /** How often this index got a machine: 1 for the first. */
  generation: z.int(),
});
export type InstanceView = z.infer<typeof InstanceView>;

/** Which instances: all conditions hold together. */
export const InstanceFilters = {
  /** Name or id of an instance. */
  instance: z.string().min(1).max(255).optional(),
  arrayName: z.string().min(1).max(255).optional(),
  arrayId: z.string().min(1).max(255).optional(),
  /** `k=v`; several: all of them. `array:id=`, `array:name=`, `array:index=`, `array:size=` stand for `spawn:job-array-…=`. */
  tag: z.union([z.string().max(400), z.array(z.string().max(400)).max(50)]).optional(),
};

export const InstancesQuery = z.strictObject({
  ...InstanceFilters,
  state: InstanceState.optional(),
  region: z.string().max(63).optional(),
  type: z.string().max(64).optional(),
  /** `next` of the page before. The order of the list is array (newest first), then index, then generation. */
  after: z.string().max(100).optional(),
  limit: whole(z.int().min(1).max(MAX_PAGE)).prefault(1_000),
});
export type InstancesQuery = z.infer<typeof InstancesQuery>;
export type InstancesQueryInput = z.input<typeof InstancesQuery>;
export const InstancesReply = z.object({ instances: z.array(InstanceView), next: z.string().optional() });
export type InstancesReply = z.infer<typeof InstancesReply>;

/** At least one of the fields. */
export const InstanceTarget = z
  // A list without a tag would mean all instances that there are.
  .strictObject({ ...InstanceFilters, tag: z.array(z.string().max(400)).min(1).max(50).optional() })
  .refine((target) => Object.keys(target).length > 0, 'a name, an id or a tag');
export type InstanceTarget = z.infer<typeof InstanceTarget>;

export const InstanceVerb = z.enum(['stop', 'hibernate', 'start', 'terminate', 'extend', 'interrupt', 'replace']);
export type InstanceVerb = z.infer<typeof InstanceVerb>;

export const InstanceVerbRequest = z.strictObject({
  target: InstanceTarget,
  /** Of `extend`, one of them: so much longer, or so long from now. */
  byMs: DurationMs.optional(),
  ttlMs: DurationMs.optional(),
  /** Of `interrupt`: between the notice and the end; default 120,000 (2 minutes). */
  noticeMs: DurationMs.optional(),
  /** Answer when every member has acknowledged, at most after so long; default 10,000. */
  waitMs: z.int().min(0).max(60_000).optional(),
});
export type InstanceVerbRequest = z.infer<typeof InstanceVerbRequest>;

export const InstanceVerbReply = z.object({
  members: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      /** After the verb. */
      state: InstanceState,
      /** False when there was nothing to do. */
      changed: z.boolean(),
      /** Its agent has answered; false when it did not within `waitMs`: it is carried out when it can. */
      acknowledged: z.boolean(),
      /** Why nothing was done. */
      note: z.string().optional(),
      ttlLeftMs: z.number().optional(),
    }),
  ),
});
export type InstanceVerbReply = z.infer<typeof InstanceVerbReply>;

export const InstanceVerbParams = z.object({ verb: InstanceVerb });
export const ResizeRequest = z.strictObject({ count: z.int().min(1).max(100_000) });
export type ResizeRequest = z.infer<typeof ResizeRequest>;

/** The content of /etc/spawn/job-array-peers.json comes from `members`, those that run, in order of index. */
export const PeersReply = z.object({
  version: z.int(),
  members: z.array(
    z.object({
      index: z.int(),
      rank: z.int(),
      id: z.string(),
      name: z.string(),
      ip: z.string(),
      privateIp: z.string(),
      dns: z.string(),
    }),
  ),
});
export type PeersReply = z.infer<typeof PeersReply>;
