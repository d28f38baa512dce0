import { z } from 'zod';

/** Ranks of one task, and workers that it may have. */
const Count = z.int().min(1).max(1_000_000);

/**
 * Makes every task of a job a gang: it has several ranks (what Slurm calls tasks) on one or more workers (nodes), all of which are taken
 * at one moment or not at all. What the job runs is started once, on the first node; the others wait there for steps that it starts.
 *
 * Beside it in the spec `cpus` is of all nodes together; `memoryBytes`, `gpus` and `resources` are of each node.
 */
export const GangSpec = z
  .strictObject({
    /** Fewest and most workers, of which it gets as many as are free; absent: as few as hold its ranks. */
    nodes: z.strictObject({ min: Count, max: Count }).optional(),
    /** Ranks, all nodes together, at least one on each; absent: `tasksPerNode` on each node, default 1. */
    tasks: Count.optional(),
    /** Every node gets what so many ranks need, also where `tasks` are fewer than that. */
    tasksPerNode: Count.optional(),
    cpusPerTask: z.number().positive().max(4_096).default(1),
    /** For each rank, besides `memoryBytes` of its node. */
    memoryBytesPerTask: z.int().min(0).default(0),
    /** Whole devices for each rank, besides `gpus` of its node. */
    gpusPerTask: z.int().min(0).max(1_024).default(0),
  })
  .refine(({ nodes }) => nodes === undefined || nodes.min <= nodes.max, {
    path: ['nodes', 'max'],
    message: 'must not be less than nodes.min',
  })
  .refine(({ nodes, tasks }) => tasks === undefined || tasks >= (nodes?.min ?? 1), {
    path: ['tasks'],
    message: 'must not be less than nodes.min: every node has a rank',
  })
  .refine(
    ({ nodes, tasks = 1, tasksPerNode }) =>
      nodes === undefined || tasksPerNode === undefined || tasks <= nodes.max * tasksPerNode,
    { path: ['tasks'], message: 'must not be more than nodes.max times tasksPerNode' },
  );
export type GangSpec = z.infer<typeof GangSpec>;

/** What an attempt has of one worker. */
export const NodeShare = z.object({
  /** Name of the worker. */
  name: z.string(),
  cpus: z.number(),
  /** Ranks there. */
  tasks: z.int().min(1),
});
export type NodeShare = z.infer<typeof NodeShare>;

/**
 * What an attempt of an exclusive task or of a gang was given: it may be more than it asked for, and differs from attempt to attempt. Nodes
 * are in the order of their ranks; the first is the worker that got the grant.
 */
export const Placement = z.object({
  nodes: z.array(NodeShare).min(1),
  /** Of the first node; 0 = as much as there is. */
  memoryBytes: z.int().min(0),
  /** Whole devices of the first node. */
  gpus: z.int().min(0),
  /** It has all of its workers. */
  whole: z.boolean(),
});
export type Placement = z.infer<typeof Placement>;

/** Of a gang's attempt, shared by its nodes: whoever has it may start steps there. 32 random bytes in hex; never logged. */
const GangSecret = z.string().regex(/^[0-9a-f]{64}$/);

const Fence = z.int().min(1);

/**
 * A share of this worker is part of a gang's attempt from now on: it opens a place for its steps and says where, in `members` of an exchange,
 * within 30 s. The description of the job came before. It may come again, after the coordinator started anew: the answer is the same.
 */
export const MemberMessage = z.object({
  type: z.literal('member'),
  n: z.int(),
  /** Of the grant that the first node has. */
  fence: Fence,
  /** Number of this node, from 1 on. */
  rank: z.int().min(1),
  job: z.int(),
  /** Number of the lane; absent: 0. */
  lane: z.int().min(1).optional(),
  position: z.int().min(0),
  attempt: z.int(),
  secret: GangSecret,
  cpus: z.number(),
  /** 0 = as much as there is. */
  memoryBytes: z.int().min(0),
  gpus: z.int().min(0),
  /** It has the whole worker. */
  whole: z.boolean(),
  /** Of this node. */
  tasks: z.int().min(1),
  /** Of all nodes, in their order, this one included. */
  nodes: z.array(NodeShare),
});
export type MemberMessage = z.infer<typeof MemberMessage>;

/** These attempts are over: what still runs of their steps here is killed, and their places are closed. */
export const MemberEndMessage = z.object({
  type: z.literal('memberEnd'),
  n: z.int(),
  fences: z.array(z.tuple([Fence, z.int().min(1)])),
});
export type MemberEndMessage = z.infer<typeof MemberEndMessage>;

/**
 * To the worker that has the grant: every other node is ready, and listens there. Comes once for each attempt with more than one node, later
 * than the grant, and again after the coordinator started anew.
 */
export const GangMessage = z.object({
  type: z.literal('gang'),
  n: z.int(),
  fence: Fence,
  secret: GangSecret,
  /** In the order of their ranks; the first is this worker, without an address. */
  nodes: z.array(NodeShare.extend({ address: z.string().optional(), port: z.int().optional() })),
});
export type GangMessage = z.infer<typeof GangMessage>;

/** What became of a member: where its steps are to be started, or why it has no place for them. */
export const MemberReport = z.union([
  z.strictObject({
    fence: Fence,
    /** Host name or address at which other workers reach this one. */
    address: z.string().min(1).max(255),
    port: z.int().min(1).max(65_535),
  }),
  z.strictObject({ fence: Fence, failed: z.string().min(1).max(1_024) }),
]);
export type MemberReport = z.infer<typeof MemberReport>;
