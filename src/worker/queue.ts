import type { Placement } from '../api/gang.ts';
import type { FenceRun } from '../api/session.ts';

/** Consecutive fences for consecutive tasks of one job and lane. */
export interface QueuedRun {
  readonly fence: number;
  readonly position: number;
  readonly count: number;
  /** Number of the attempt that each will be: one for all, or one each. */
  readonly attempt: number | readonly number[];
  /** Of one task that was placed as a whole. */
  readonly placement?: Placement | undefined;
}

/** The right to start one task. */
export interface Grant {
  readonly jobId: number;
  readonly lane: number;
  readonly fence: number;
  readonly position: number;
  readonly attempt: number;
  /** In place of that of its lane. */
  readonly timeLimitMs?: number;
  /** What it has of this worker and of others, in place of what its lane needs. */
  readonly placement?: Placement;
}

/** The right to start consecutive tasks, of which the first is named. */
export interface GrantedRun extends Grant {
  readonly count: number;
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
  readonly placement?: Placement | undefined;
  /** Tasks gone from the front: where `attempt` goes on. */
  skipped: number;
  readonly arrival: number;
  timeLimitMs: number | undefined;
}

/** The tasks of one lane of a job: all need the same. */
interface LaneQueue {
  readonly jobId: number;
  readonly lane: number;
  /** In order of arrival; the ones before `head` are gone. */
  runs: Waiting[];
  head: number;
  /** Since when its first task did not fit, on the clock given to `take`; undefined while it fits. */
  busySince: number | undefined;
}

/** More lanes than a job can have. */
const LANES = 65_536;

/**
 * Granted tasks that have not started, as runs: a grant of ten thousand is one entry.
 *
 * Tasks start in order of arrival. One that does not fit is passed by the first of another job or lane that does, for at most
 * PASSING_MS; one whose job is not prepared is passed for as long as that takes.
 */
export class GrantQueue {
  readonly #lanes = new Map<number, LaneQueue>();
  #arrivals = 0;
  #count = 0;

  /** Tasks, not runs. */
  get count(): number {
    return this.#count;
  }

  /** Of how many lanes, over all jobs. */
  get laneCount(): number {
    return this.#lanes.size;
  }

  add(jobId: number, lane: number, run: QueuedRun): void {
    const key = jobId * LANES + lane;
    let queue = this.#lanes.get(key);
    if (queue === undefined) {
      queue = { jobId, lane, runs: [], head: 0, busySince: undefined };
      this.#lanes.set(key, queue);
    }
    queue.runs.push({ ...run, skipped: 0, arrival: this.#arrivals++, timeLimitMs: undefined });
    this.#count += run.count;
  }

  /** Takes out the task that starts next, if one can. */
  take(
    fitOf: (jobId: number, lane: number, position: number, placement?: Placement) => Fit,
    nowMs: number,
  ): Grant | undefined {
    let chosen: [number, LaneQueue] | undefined;
    let chosenArrival = Number.POSITIVE_INFINITY;
    let closedAt = Number.POSITIVE_INFINITY;
    for (const [key, queue] of this.#lanes) {
      const { arrival, position, placement } = queue.runs[queue.head]!;
      if (arrival > chosenArrival || arrival > closedAt) continue;
      const fits = fitOf(queue.jobId, queue.lane, position, placement);
      if (fits === 'busy') {
        queue.busySince ??= nowMs;
        if (nowMs - queue.busySince >= PASSING_MS) closedAt = arrival;
      } else if (fits === 'fits') {
        chosen = [key, queue];
        chosenArrival = arrival;
      }
    }
    if (chosen === undefined || chosenArrival > closedAt) return undefined;
    return this.#takeHead(...chosen);
  }

  /**
   * Takes out up to so many of the next tasks of a lane, of which one was just taken: runs whose tasks all have the same terms.
   * @param mayGo false for the task at a position that has to wait, and with it those behind it
   */
  takeMore(jobId: number, lane: number, most: number, mayGo?: (position: number) => boolean): GrantedRun[] {
    const key = jobId * LANES + lane;
    const taken: GrantedRun[] = [];
    let left = most;
    for (let queue = this.#lanes.get(key); queue !== undefined && left > 0; queue = this.#lanes.get(key)) {
      const { attempt, skipped, count, placement, position } = queue.runs[queue.head]!;
      if (placement !== undefined) break;
      let length = Math.min(left, typeof attempt === 'number' ? count : sameFrom(attempt, skipped));
      for (let at = 0; mayGo !== undefined && at < length; at++) if (!mayGo(position + at)) length = left = at;
      if (length === 0) break;
      taken.push({ ...this.#takeHead(key, queue, length), count: length });
      left -= length;
    }
    return taken;
  }

  /** Takes out what of a run of fences is queued, for whatever reason; gives the fences that were. */
  remove(base: number, count: number): FenceRun[] {
    const removed: FenceRun[] = [];
    for (const [key, queue] of this.#lanes) {
      const before = removed.length;
      const left = queue.runs.slice(queue.head).flatMap((run) => cut(run, base, count, removed));
      if (removed.length > before) this.#replace(key, queue, left);
    }
    for (const [, length] of removed) this.#count -= length;
    return removed;
  }

  /** Gives what of a run of fences is queued another time limit. */
  limit(base: number, count: number, timeLimitMs: number): void {
    for (const queue of this.#lanes.values()) {
      const waiting = queue.runs.slice(queue.head);
      if (!waiting.some((run) => run.fence < base + count && base < run.fence + run.count)) continue;
      queue.runs = waiting.flatMap((run) => limited(run, base, count, timeLimitMs));
      queue.head = 0;
    }
  }

  /** Takes out everything. */
  clear(): FenceRun[] {
    const all = [...this.#lanes.values()].flatMap(({ runs, head }) =>
      runs.slice(head).map(({ fence, count }): FenceRun => [fence, count]),
    );
    this.#lanes.clear();
    this.#count = 0;
    return all;
  }

  #takeHead(key: number, queue: LaneQueue, length = 1): Grant {
    const { jobId, lane } = queue;
    const run = queue.runs[queue.head]!;
    const { fence, position, timeLimitMs, placement } = run;
    const attempt = typeof run.attempt === 'number' ? run.attempt : run.attempt[run.skipped]!;
    skip(run, length);
    if (run.count === 0) queue.head += 1;
    queue.busySince = undefined;
    this.#count -= length;
    if (queue.head === queue.runs.length) this.#lanes.delete(key);
    else if (queue.head >= 1000) this.#replace(key, queue, queue.runs.slice(queue.head));
    return {
      ...{ jobId, lane, fence, position, attempt },
      ...(timeLimitMs === undefined ? {} : { timeLimitMs }),
      ...(placement === undefined ? {} : { placement }),
    };
  }

  #replace(key: number, queue: LaneQueue, runs: Waiting[]): void {
    if (runs.length === 0) this.#lanes.delete(key);
    queue.runs = runs;
    queue.head = 0;
    queue.busySince = undefined;
  }
}

/** How many numbers from there on are the same. */
function sameFrom(numbers: readonly number[], from: number): number {
  let to = from + 1;
  while (to < numbers.length && numbers[to] === numbers[from]) to += 1;
  return to - from;
}

function skip(run: Waiting, tasks: number): void {
  run.fence += tasks;
  run.position += tasks;
  run.count -= tasks;
  run.skipped += tasks;
}

/** A run without the fences base … base+count-1; those that it had go to `removed`. */
function cut(run: Waiting, base: number, count: number, removed: FenceRun[]): Waiting[] {
  const [before, among, after] = split(run, base, count);
  if (among !== undefined) removed.push([among.fence, among.count]);
  return [before, after].filter((left) => left !== undefined);
}

/** A run in the same order, of which the fences base … base+count-1 have another time limit. */
function limited(run: Waiting, base: number, count: number, timeLimitMs: number): Waiting[] {
  const [before, among, after] = split(run, base, count);
  return [before, among && { ...among, timeLimitMs }, after].filter((part) => part !== undefined);
}

type Part = Waiting | undefined;

/** What of a run lies before, among and after the fences base … base+count-1. */
function split(run: Waiting, base: number, count: number): [before: Part, among: Part, after: Part] {
  const part = (from: number, to: number): Part => {
    const [first, end] = [Math.max(run.fence, from), Math.min(run.fence + run.count, to)];
    if (first >= end) return undefined;
    const copy = { ...run };
    skip(copy, first - run.fence);
    copy.count = end - first;
    return copy;
  };
  const end = base + count;
  return [part(0, base), part(base, end), part(end, Number.POSITIVE_INFINITY)];
}
