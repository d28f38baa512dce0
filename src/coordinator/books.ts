import type { GrantRange } from '../core/grant-range.ts';
import type { Job } from '../core/job.ts';
import type { Settlement } from '../core/settle.ts';
import type { WorkerSession } from '../core/worker-session.ts';
import type { JobEntry, Memory } from './memory.ts';

/** What the rules that change memory work with; World is the only implementation. */
export interface Books {
  readonly memory: Memory;
  readonly settlement: Settlement;
  /** Epoch ms. */
  readonly now: number;
  /** Most tasks that a job may have. */
  readonly maxTasks: number;
  /** 0 ≤ x < 1, by chance. */
  chance(): number;
  /** Lower-case hex digits, unpredictable. */
  randomHex(digits: number): string;
  /** Counts a fact that is worth knowing. */
  count(name: string, by?: number): void;
  entryOf(job: Job): JobEntry;
  /** Live jobs of the same owner and name, in the order in which singletons run. */
  sharers(job: Job): Iterable<Job>;
  /** The job's row is written again, and its place in the queue is looked at. */
  changed(job: Job): void;
  /** An ended job has tasks to run again: it is live again, behind those of its name. */
  revived(job: Job): void;
  /** Something about the job happens at `due`, epoch ms. */
  wait(job: Job, due: number): void;
  /** `count` fences from `at` of a range were closed: resources, digest, queue and rows follow. */
  rangeShrank(session: WorkerSession, job: Job, range: GrantRange, at: number, count: number): void;
}
