import { z } from 'zod';
import { JobView, TaskStateName, TaskView } from './job.ts';
import { JobSpec } from './job-spec.ts';
import { MAX_CELLS, MAX_PAGE, MAX_PATTERN } from './limits.ts';
import { whole } from './whole.ts';

/** Tasks that failed in the same way. */
export const FailureGroup = z.object({
  cause: z.enum([
    'exit',
    'signal',
    'timeLimit',
    'stalled',
    'outOfMemory',
    'lost',
    'preempted',
    'cancelled',
    'dependency',
  ]),
  exitCode: z.int().optional(),
  signal: z.int().optional(),
  /** For people: `exit 3`, `SIGKILL (9)`, `time limit`. */
  outcome: z.string(),
  /** Last line of stderr, with numbers, paths and addresses replaced, so that equal failures look equal. */
  message: z.string().optional(),
  tasks: z.int(),
  /** True: counted over a sample of the failed tasks and scaled up. */
  estimated: z.boolean(),
  /** A task of the group whose log is worth a look: `12_7`. */
  example: z.string(),
  /** Indices of (some of) the group: an index set. */
  indices: z.string(),
});
export type FailureGroup = z.infer<typeof FailureGroup>;

export const SummaryReply = z.object({
  job: JobView,
  failures: z.array(FailureGroup),
  /** Ended attempts that took longest, longest first; at most five. */
  slowest: z.array(TaskView),
  /** Those that have run longest; at most five. */
  longestRunning: z.array(TaskView),
  /** Running tasks that started last, newest first; at most five. Absent from a server that does not know it. */
  latestRunning: z.array(TaskView).optional(),
  /** Tasks that ended in the last minute, a second; absent before the first. */
  ratePerSecond: z.number().optional(),
  /** When the last task will have ended if it goes on like this, epoch ms. */
  etaAt: z.number().optional(),
  /** Tasks that were tried more than once. */
  retriedTasks: z.int(),
});
export type SummaryReply = z.infer<typeof SummaryReply>;

/** One thing that keeps a task or job from running. */
export const Blocker = z.object({
  rule: z.enum([
    'ended',
    'running',
    'suspended',
    'dependency',
    'hold',
    'throttle',
    'begin',
    'retryDelay',
    'canary',
    'resources',
    'noWorker',
    'neverFits',
    'priority',
    'turn',
    'cancelling',
    'storeFull',
    'instance',
  ]),
  /** The whole story in a sentence. */
  text: z.string(),
  /** How many tasks of the job it concerns. */
  tasks: z.int(),
  /** Jobs, tasks or workers that hold what it waits for, the most important first; at most ten. */
  holders: z.array(z.object({ kind: z.enum(['job', 'task', 'worker']), id: z.string(), text: z.string() })),
  /** An estimate of when this no longer keeps it, epoch ms. */
  untilAt: z.number().optional(),
});
export type Blocker = z.infer<typeof Blocker>;

export const WhyReply = z.object({
  /** `12` or `12_7`. */
  ref: z.string(),
  job: JobView,
  task: TaskView.optional(),
  /** What decides first comes first; empty: it may start at any moment. */
  blockers: z.array(Blocker),
});
export type WhyReply = z.infer<typeof WhyReply>;

export const EventsQuery = z.strictObject({
  /** A job (number, array id or name) or a task: then its attempts are told too. Absent: everything. */
  ref: z.string().min(1).max(65_536).optional(),
  /** Events with a greater id: the key of the page before. */
  after: whole(z.int().min(0)).prefault(0),
  limit: whole(z.int().min(1).max(MAX_PAGE)).prefault(1_000),
});
export type EventsQuery = z.infer<typeof EventsQuery>;
export type EventsQueryInput = z.input<typeof EventsQuery>;

export const EventView = z.object({
  id: z.int(),
  at: z.number(),
  /** `jobSubmitted`, `sessionOpened`, … */
  kind: z.string(),
  jobId: z.int().optional(),
  task: z.string().optional(),
  /** For people, one line. */
  text: z.string(),
  detail: z.record(z.string(), z.unknown()),
});
export type EventView = z.infer<typeof EventView>;
export const EventsReply = z.object({ events: z.array(EventView), next: z.int().optional() });
export type EventsReply = z.infer<typeof EventsReply>;

/** A job as it could be submitted again. The environment snapshot is only named: the API does not give it back. */
export const SpecReply = z.object({
  id: z.int(),
  /** With what was updated since. */
  spec: JobSpec,
  /** Content of the script, where there is one: as text, or as base64 where it is not UTF-8. */
  script: z.object({ encoding: z.enum(['utf8', 'base64']), content: z.string() }).optional(),
});
export type SpecReply = z.infer<typeof SpecReply>;

/** Lines of logs that fit a regular expression (JavaScript, flag v). The reply is one GrepMatch a line. */
export const GrepQuery = z.strictObject({
  pattern: z.string().min(1).max(MAX_PATTERN),
  ignoreCase: z
    .enum(['0', '1'])
    .default('0')
    .transform((value) => value === '1'),
  index: z.string().max(65_536).optional(),
  state: z.string().max(200).optional(),
  stream: z.enum(['out', 'err', 'both']).default('both'),
  /** Ends after so many lines. */
  limit: whole(z.int().min(1).max(10_000_000)).prefault(1_000_000),
});
export type GrepQuery = z.infer<typeof GrepQuery>;
export type GrepQueryInput = z.input<typeof GrepQuery>;
export const GrepMatch = z.object({
  /** Index of the task. */
  index: z.int(),
  attempt: z.int(),
  stream: z.enum(['out', 'err']),
  /** Cut at 16,384 characters. */
  text: z.string(),
});
export type GrepMatch = z.infer<typeof GrepMatch>;

/** Lines that occur in failed tasks and in no completed one, most frequent first. */
export const LogDiffQuery = z.strictObject({
  stream: z.enum(['out', 'err', 'both']).default('both'),
  limit: whole(z.int().min(1).max(10_000)).prefault(100),
});
export type LogDiffQuery = z.infer<typeof LogDiffQuery>;
export type LogDiffQueryInput = z.input<typeof LogDiffQuery>;
export const LogDiffReply = z.object({
  lines: z.array(
    z.object({
      text: z.string(),
      /** Failed tasks in which it occurs. */
      tasks: z.int(),
      example: z.string(),
    }),
  ),
  failedRead: z.int(),
  completedRead: z.int(),
  /** True: not all logs were read, a line may occur in a completed task that was not. */
  sampled: z.boolean(),
});
export type LogDiffReply = z.infer<typeof LogDiffReply>;

export const GridQuery = z.strictObject({ cells: whole(z.int().min(1).max(MAX_CELLS)).prefault(1_024) });
export type GridQuery = z.infer<typeof GridQuery>;
/** Cell `i` stands for the positions from i*size/cells on. Only cells that changed are told after the first event. */
export const GridDelta = z.object({
  size: z.int(),
  cells: z.int(),
  /** `[cell, tasks by state in the order of TaskStateName]`. */
  changed: z.array(z.tuple([z.int(), z.array(z.int()).length(TaskStateName.options.length)])),
  /** The job has ended: nothing follows. */
  ended: z.boolean(),
});
export type GridDelta = z.infer<typeof GridDelta>;
