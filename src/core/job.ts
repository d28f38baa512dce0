import type { Canary } from './canary.ts';
import { ConditionOf } from './condition.ts';
import { DelayHeap } from './delay-heap.ts';
import type { Dependency } from './dependency.ts';
import type { Gang } from './gang.ts';
import type { GrantRange } from './grant-range.ts';
import type { IndexSet } from './index-set.ts';
import { isFinished, type JobState, jobState, neededOf } from './job-state.ts';
import { Lane, type LaneJob, type LaneTerms } from './lane.ts';
import { Pace } from './pace.ts';
import type { RetryPolicy } from './retry.ts';
import { Slowest } from './slowest.ts';
import { Suspensions } from './suspensions.ts';
import type { TaskProgress } from './task-progress.ts';
import { TaskState } from './task-state.ts';
import { TaskTable } from './task-table.ts';

/** What of a submitted spec the core decides by; the rest is the worker's business. */
export interface JobFacts {
  id: number;
  name: string;
  owner: string;
  indices: IndexSet;
  createdAt: number;
  cpus: number;
  memoryBytes: number;
  gpus: number;
  resources: Readonly<Record<string, number>>;
  timeLimitMs: number;
  /** Oldest version of the API with which a worker understands the job. */
  minApi: number;
  /** Each task runs on an instance of its own: the queue never has it. */
  bound: boolean;
  /** Each task has a session to itself. */
  exclusive?: boolean;
  /** Each task has ranks, on one session or more. */
  gang?: Gang | undefined;
  retryPolicy: RetryPolicy;
  /** As submitted. */
  maxFailures: number;
  /** It has succeeded when this part of its tasks has; absent: all. */
  minSuccess?: number;
  /** As submitted; what holds now is in the job's conditions. */
  dependency: Dependency | null;
  invalidDependency: 'skip' | 'wait';
}

export type Condition = ConditionOf<Job>;

/** What was found of the input that the tasks of a job read. */
export interface JobPlan {
  /** Blob with its manifest; '' when each task reads what the same task of another job made. */
  readonly hash: string;
  readonly parts: number;
  /** Of the attempt that made it. */
  readonly fence: number;
}

/** An edge seen from the predecessor: `job` waits with term number `term` of one of its conditions. */
export interface Waiter {
  job: Job;
  condition: Condition;
  term: number;
  /** Position in the predecessor that has not ended as far as is known: while that is so, an index term need not look further. */
  hint: number;
}

/** One live job in memory. Changed only through the functions of core and the use cases of the coordinator. */
export class Job implements LaneJob {
  readonly facts: JobFacts;
  readonly table: TaskTable;
  held = false;
  /** Nothing is granted before this time, epoch ms; 0 = at once. */
  beginAt = 0;
  /** What has not ended by then is cancelled, epoch ms; 0 = never. */
  deadlineAt = 0;
  /** Nothing is granted now: it has not begun, or its deadline has passed. */
  shut = false;
  /** While it runs, the table's gate keeps all other tasks back. */
  canary: Canary | undefined;
  throttle = 0;
  /** What was changed since the submit of what Slurm's commands show; core makes nothing of it. */
  slurm: object = {};
  /** Of a job whose tasks read parts of an input, once it is known which; of one that plans, what it said of that. */
  plan: JobPlan | undefined;
  /** Where tasks that start from now on write; undefined: as submitted. */
  outputPath: string | undefined;
  /** The job is ended when more tasks than this failed; Infinity = never. */
  maxFailures: number;
  /** By number; the first one is what was submitted. */
  readonly lanes: [Lane, ...Lane[]];
  /** By number; the first one holds for all tasks that name no other. */
  readonly conditions: [Condition, ...Condition[]];
  readonly waiters: Waiter[] = [];
  /** Ranges with at least one open fence. */
  readonly grants = new Set<GrantRange>();
  /** Tasks waiting for their retry delay. */
  readonly delayed = new DelayHeap();
  /** Attempts that ended and were followed by another. */
  retried = 0;
  startedAt = 0;
  endedAt = 0;
  exitCode = 0;
  /** Smoothed wall time of an attempt, microseconds; 0 = none has ended. */
  meanWallUs = 0;
  readonly pace = new Pace();
  readonly slowest = new Slowest();
  readonly suspensions = new Suspensions();
  /** Absent until one of its attempts has said something. */
  progress: TaskProgress | undefined;
  /** Granted tasks of all lanes that hold resources (not those granted ahead), over all sessions. */
  slots = 0;

  constructor(facts: JobFacts, ground: TaskState) {
    this.facts = facts;
    this.table = new TaskTable(facts.indices.size, ground);
    this.maxFailures = facts.maxFailures;
    this.conditions = [new ConditionOf<Job>(0, facts.dependency)];
    this.lanes = [new Lane(this, 0, { ...facts, priority: 0 }, this.table.eligible.sets[0])];
  }

  /** Tasks can be moved to it with `table.setLane`. */
  addLane(terms: LaneTerms): Lane {
    const lane = new Lane(this, this.lanes.length, terms, this.table.eligible.addLane());
    this.lanes.push(lane);
    return lane;
  }

  laneOf(position: number): Lane {
    return this.lanes[this.table.eligible.laneOf(position)]!;
  }

  /** Of the tasks that were given no other. Changed in the queue (`setPriority`) once the job is there. */
  get priority(): number {
    return this.lanes[0].priority;
  }

  set priority(priority: number) {
    this.lanes[0].priority = priority;
  }

  conditionOf(position: number): Condition {
    return this.conditions[this.table.conditions?.[position] ?? 0]!;
  }

  /** Whether any of its tasks waits, or waited, for something. */
  get isConditional(): boolean {
    return this.conditions.some(({ dependency }) => dependency !== null);
  }

  get id(): number {
    return this.facts.id;
  }

  get size(): number {
    return this.table.size;
  }

  get state(): JobState {
    return jobState(this.table.counts, this.held, this.facts.minSuccess);
  }

  /** So many of its tasks must complete for it to have succeeded. */
  get needed(): number {
    return neededOf(this.size, this.facts.minSuccess ?? 1);
  }

  /** It can succeed although not all of its tasks do. */
  get mayMiss(): boolean {
    return this.facts.minSuccess !== undefined && this.facts.minSuccess < 1;
  }

  /** Too many of its tasks have ended otherwise for that. */
  get isHopeless(): boolean {
    const { counts } = this.table;
    const missed = counts[TaskState.failed]! + counts[TaskState.cancelled]! + counts[TaskState.skipped]!;
    return this.size - missed < this.needed;
  }

  get finished(): boolean {
    return isFinished(this.table.counts);
  }

  /** Somebody still waits for what becomes of its tasks. */
  get awaited(): boolean {
    return this.waiters.some((waiter) => waiter.job.table.counts[TaskState.blocked]! > 0);
  }

  /** How many more tasks may be granted under the throttle. */
  get room(): number {
    if (this.throttle === 0) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.throttle - this.table.counts[TaskState.leased]! - this.table.counts[TaskState.running]!);
  }

  /** How many tasks may be granted now, resources aside. */
  get wanted(): number {
    return Math.min(
      this.room,
      this.lanes.reduce((sum, { wanted }) => sum + wanted, 0),
    );
  }
}
