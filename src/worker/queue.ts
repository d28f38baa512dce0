import type { FenceRun } from '../api/session.ts';

/** Consecutive fences for consecutive tasks of one job. */
export interface QueuedRun {
  readonly fence: number;
  readonly position: number;
  readonly count: number;
  /** Number of the attempt that each will be: one for all, or one each. */
  readonly attempt: number | readonly number[];
}

/** The right to start one task. */
export interface Grant {
  readonly jobId: number;
  readonly fence: number;
  readonly position: number;
  readonly attempt: number;
}

/** Whether a task of a job can start now: `busy` when resources are missing, `unprepared` while the job's files are fetched. */
export type Fit = 'fits' | 'busy' | 'unprepared';

/**
 * How long a task that needs more than is free lets later ones of other jobs pass. After that nothing starts before it,
 * so that a wide task gets its turn.
 */
const PASSING_MS = 10_000;

/** A run of which the first tasks may be gone already; changed in place, so that taking a task costs no copy. */
interface Waiting {
  fence: number;
  position: number;
  count: number;
  readonly attempt: number | readonly number[];
  /** Tasks gone from the front: where `attempt` goes on. */
  skipped: number;
  readonly arrival: number;
}

interface JobQueue {
  /** In order of arrival; the ones before `head` are gone. */
  runs: Waiting[];
  head: number;
  /** Since when its first task did not fit, on the clock given to `take`; undefined while it fits. */
  busySince: number | undefined;
}

/**
 * Granted tasks that have not started, as runs: a grant of ten thousand is one entry.
 *
 * Tasks start in order of arrival. One that does not fit is passed by the first of another job that does, for at most
 * PASSING_MS; one whose job is not prepared is passed for as long as that takes.
 */
export class GrantQueue {
  readonly #jobs = new Map<number, JobQueue>();
  #arrivals = 0;
  #count = 0;

  /** Tasks, not runs. */
  get count(): number {
    return this.#count;
  }

  get jobCount(): number {
    return this.#jobs.size;
  }

  add(jobId: number, run: QueuedRun): void {
    let queue = this.#jobs.get(jobId);
    if (queue === undefined) {
      queue = { runs: [], head: 0, busySince: undefined };
      this.#jobs.set(jobId, queue);
    }
    queue.runs.push({ ...run, skipped: 0, arrival: this.#arrivals++ });
    this.#count += run.count;
  }

  /** Takes out the task that starts next, if one can. */
  take(fitOf: (jobId: number) => Fit, nowMs: number): Grant | undefined {
    let chosen: [number, JobQueue] | undefined;
    let chosenArrival = Number.POSITIVE_INFINITY;
    let closedAt = Number.POSITIVE_INFINITY;
    for (const [jobId, queue] of this.#jobs) {
      const { arrival } = queue.runs[queue.head]!;
      if (arrival > chosenArrival || arrival > closedAt) continue;
      const fits = fitOf(jobId);
      if (fits === 'busy') {
        queue.busySince ??= nowMs;
        if (nowMs - queue.busySince >= PASSING_MS) closedAt = arrival;
      } else if (fits === 'fits') {
        chosen = [jobId, queue];
        chosenArrival = arrival;
      }
    }
    if (chosen === undefined || chosenArrival > closedAt) return undefined;
    return this.#takeHead(...chosen);
  }

  /** Takes out what of a run of fences is queued, for whatever reason; gives the fences that were. */
  remove(base: number, count: number): FenceRun[] {
    const removed: FenceRun[] = [];
    for (const [jobId, queue] of this.#jobs) {
      const before = removed.length;
      const left = queue.runs.slice(queue.head).flatMap((run) => cut(run, base, count, removed));
      if (removed.length > before) this.#replace(jobId, queue, left);
    }
    for (const [, length] of removed) this.#count -= length;
    return removed;
  }

  /** Takes out everything. */
  clear(): FenceRun[] {
    const all = [...this.#jobs.values()].flatMap(({ runs, head }) =>
      runs.slice(head).map(({ fence, count }): FenceRun => [fence, count]),
    );
    this.#jobs.clear();
    this.#count = 0;
    return all;
  }

  #takeHead(jobId: number, queue: JobQueue): Grant {
    const run = queue.runs[queue.head]!;
    const attempt = typeof run.attempt === 'number' ? run.attempt : run.attempt[run.skipped]!;
    const grant = { jobId, fence: run.fence, position: run.position, attempt };
    skip(run, 1);
    if (run.count === 0) queue.head += 1;
    queue.busySince = undefined;
    this.#count -= 1;
    if (queue.head === queue.runs.length) this.#jobs.delete(jobId);
    else if (queue.head >= 1000) this.#replace(jobId, queue, queue.runs.slice(queue.head));
    return grant;
  }

  #replace(jobId: number, queue: JobQueue, runs: Waiting[]): void {
    if (runs.length === 0) this.#jobs.delete(jobId);
    queue.runs = runs;
    queue.head = 0;
    queue.busySince = undefined;
  }
}

function skip(run: Waiting, tasks: number): void {
  run.fence += tasks;
  run.position += tasks;
  run.count -= tasks;
  run.skipped += tasks;
}

/** A run without the fences base … base+count-1; those that it had go to `removed`. */
function cut(run: Waiting, base: number, count: number, removed: FenceRun[]): Waiting[] {
  const from = Math.max(run.fence, base);
  const to = Math.min(run.fence + run.count, base + count);
  if (from >= to) return [run];
  removed.push([from, to - from]);
  const before = { ...run, count: from - run.fence };
  const after = { ...run };
  skip(after, to - run.fence);
  return [before, after].filter((left) => left.count > 0);
}
