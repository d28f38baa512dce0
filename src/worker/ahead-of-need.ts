import type { Room } from '../core/resources.ts';
import type { KnownJob } from './job-book.ts';

/** Only behind tasks this short is a place in the forker's queue worth more than a place in ours. */
const SHORT_US = 50_000;
/** What ended longer ago says nothing of what runs now. */
const RECENT_MS = 50;
/** After so many short ones in a row the next are taken to be short as well. */
const STREAM = 100;
/** So many wait in the forker for each that runs. */
const WAITING_PER_SLOT = 2;

/** How many tasks of a job's lane a machine that is idle runs at once. */
export function widthOf({ needs }: KnownJob, idle: Room): number {
  return Math.max(1, idle.fits(needs));
}

/**
 * The tasks that wait in the forker: it starts one as soon as another of the same job and lane ends, without asking this process, which
 * saves a short task two switches between processes. They hold no resources; each takes over those of one that ends, so
 * that there are none for tasks with devices, which must know theirs before. Only while
 * nothing but short tasks of one lane runs, so that nothing else waits for it and none waits for long.
 */
export class AheadOfNeed {
  readonly #shortInARow = new WeakMap<KnownJob, number>();
  /** Attempts in the forker, by job and lane. */
  readonly #inForker = new Map<KnownJob, number>();
  /** Of which the ones that wait are. */
  #job: KnownJob | undefined;
  #waiting = 0;
  #lastShort: { job: KnownJob; atMs: number } | undefined;

  /** Whether one more may wait. */
  mayQueue(job: KnownJob): boolean {
    if (job.needs.gpuShares > 0) return false;
    const inForker = this.#inForker.get(job);
    // With tasks of another job beside it, the forker would start too many of this one.
    if (inForker === undefined || this.#inForker.size > 1) return false;
    if (this.#lastShort?.job !== job || performance.now() - this.#lastShort.atMs > RECENT_MS) return false;
    return this.#waiting < (inForker - this.#waiting) * WAITING_PER_SLOT;
  }

  sent(job: KnownJob): void {
    this.#inForker.set(job, (this.#inForker.get(job) ?? 0) + 1);
  }

  gone(job: KnownJob): void {
    const left = this.#inForker.get(job)! - 1;
    if (left === 0) this.#inForker.delete(job);
    else this.#inForker.set(job, left);
  }

  queued(job: KnownJob): void {
    this.#job = job;
    this.#waiting += 1;
  }

  /** One of them is gone: whether one that waited has taken its place. */
  tookOver(job: KnownJob): boolean {
    if (this.#waiting === 0 || this.#job !== job) return false;
    this.#waiting -= 1;
    return true;
  }

  /**
   * Whether the next task is one of a stream of short ones. Those are not bound to CPUs: what they could take of others' is gone in a
   * moment, and to move to another CPU first makes a stream of them two to five times slower on a machine that others use as well.
   */
  inStream(job: KnownJob): boolean {
    return (this.#shortInARow.get(job) ?? 0) >= STREAM;
  }

  ended(job: KnownJob, wallUs: number): void {
    this.#shortInARow.set(job, wallUs < SHORT_US ? (this.#shortInARow.get(job) ?? 0) + 1 : 0);
    this.#lastShort = wallUs < SHORT_US ? { job, atMs: performance.now() } : undefined;
  }
}
