import { MAX_DURATION_MS } from '../api/limits.ts';
import { SpawnError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import { type Lane, type LaneTerms, MAX_LANE } from '../core/lane.ts';
import { revokeHeld } from './again.ts';
import type { Books } from './books.ts';
import type { Runs } from './cancel.ts';
import { changeLimit } from './limits.ts';

/** What tasks get instead of what they had; times and a fixed amount exclude each other. */
export interface LaneChange {
  readonly cpus?: number | undefined;
  readonly gpus?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly memoryTimes?: number | undefined;
  readonly timeLimitMs?: number | undefined;
  readonly timeLimitTimes?: number | undefined;
  readonly priority?: number | undefined;
}

/**
 * Gives the named tasks other needs, another time limit or another priority. What waits has them at once; what a worker holds without
 * having started it is asked back; what runs keeps its resources and gets the new time limit; what has ended has them when it runs again.
 * Gives how many tasks got something else than they had.
 *
 * @throws CONFLICT when the job would have too many lanes, BAD_REQUEST when there is nothing to multiply; nothing was changed then
 */
export function moveToLane(books: Books, job: Job, runs: Runs, change: LaneChange): number {
  const { table } = job;
  const moves = runs.flatMap(([start, count]) => [...table.eligible.runs(start, count)]);
  const targets = findTargets(job, new Set(moves.map(([, , lane]) => lane)), change);
  let moved = 0;
  const elsewhere: (readonly [start: number, count: number])[] = [];
  const limits = new Map<number, (readonly [start: number, count: number])[]>();
  for (const [start, count, from] of moves) {
    const to = targets.get(from)!;
    if (to.number === from) continue;
    table.setLane(start, count, to.number);
    moved += count;
    if (job.grants.size === 0) continue;
    elsewhere.push([start, count]);
    const { timeLimitMs } = to.terms;
    if (timeLimitMs === job.lanes[from]!.terms.timeLimitMs) continue;
    const same = limits.get(timeLimitMs);
    if (same === undefined) limits.set(timeLimitMs, [[start, count]]);
    else same.push([start, count]);
  }
  // All at once: there may be half a million stretches and thousands of grants.
  revokeHeld(books, job, ascending(elsewhere));
  for (const [timeLimitMs, tasks] of limits) changeLimit(books, job, ascending(tasks), timeLimitMs);
  if (moved > 0) books.changed(job);
  return moved;
}

function ascending(runs: Runs): Runs {
  return runs.toSorted(([a], [b]) => a - b);
}

/** Another priority for all tasks of a job, those of every lane; false when they had it. */
export function changePriority(books: Books, job: Job, priority: number): boolean {
  const others = job.lanes.filter((lane) => lane.priority !== priority);
  for (const lane of others) books.memory.queue.setPriority(lane, priority);
  if (others.length > 0) books.changed(job);
  return others.length > 0;
}

/** The lane for the tasks of each lane; those that are missing are made, all of them or none. */
function findTargets(job: Job, from: ReadonlySet<number>, change: LaneChange): Map<number, Lane> {
  const terms = new Map([...from].map((number) => [number, changed(job.lanes[number]!, change)]));
  const missing = new Map([...terms.values()].flatMap((each) => (find(job, each) ? [] : [[keyOf(each), each]])));
  const lanes = job.lanes.length + missing.size;
  if (lanes > MAX_LANE + 1) {
    throw new SpawnError('CONFLICT', {
      what: `job ${job.id}`,
      expected: `tasks with at most ${MAX_LANE + 1} different needs, time limits and priorities over its life`,
      found: lanes,
    });
  }
  for (const each of missing.values()) job.addLane(each);
  return new Map([...terms].map(([number, each]) => [number, find(job, each)!]));
}

function changed({ terms, priority }: Lane, change: LaneChange): LaneTerms {
  const { cpus = terms.cpus, gpus = terms.gpus, memoryTimes, timeLimitTimes } = change;
  return {
    ...terms,
    cpus,
    gpus,
    memoryBytes: multiplied(
      'memoryTimes',
      'memory',
      terms.memoryBytes,
      memoryTimes,
      Number.MAX_SAFE_INTEGER,
      change.memoryBytes,
    ),
    timeLimitMs: multiplied(
      'timeLimitTimes',
      'a time limit',
      terms.timeLimitMs,
      timeLimitTimes,
      MAX_DURATION_MS,
      change.timeLimitMs,
    ),
    priority: change.priority ?? priority,
  };
}

function multiplied(
  where: string,
  what: string,
  before: number,
  times: number | undefined,
  most: number,
  fixed: number | undefined,
): number {
  if (times === undefined) return fixed ?? before;
  if (before === 0)
    throw new SpawnError('BAD_REQUEST', { where, expected: `tasks that ask for ${what}`, found: 'none' });
  return Math.min(most, Math.max(1, Math.round(before * times)));
}

function find(job: Job, terms: LaneTerms): Lane | undefined {
  const key = keyOf(terms);
  return job.lanes.find((lane) => keyOf({ ...lane.terms, priority: lane.priority }) === key);
}

function keyOf({ cpus, memoryBytes, gpus, resources, timeLimitMs, priority }: LaneTerms): string {
  return JSON.stringify([cpus, memoryBytes, gpus, Object.entries(resources).toSorted(), timeLimitMs, priority]);
}
