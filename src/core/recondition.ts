import { ConditionOf } from './condition.ts';
import { type Dependency, formatDependency } from './dependency.ts';
import { SpawnError } from './errors.ts';
import type { Condition, Job } from './job.ts';
import { TaskState } from './task-state.ts';
import { TaskReason } from './task-table.ts';
import type { Runs } from './terms.ts';

/** Numbers have a byte. */
const MOST_CONDITIONS = 256;

export interface Reconditioned {
  /** Tasks that wait anew. */
  readonly changed: Runs;
  /** Those of them that had been skipped: who was decided by that is to be armed again. */
  readonly unskipped: Runs;
}

/**
 * Makes tasks that have not started wait for something else, or (null) for nothing; `runs` null means the whole job, whatever single
 * tasks of it waited for. What a worker has, and what has run, stays as it is. The caller ties the condition to the jobs it
 * names and evaluates the job.
 */
export function changeCondition(job: Job, runs: Runs | null, dependency: Dependency | null): Reconditioned {
  const { table } = job;
  if (runs === null) {
    for (const condition of job.conditions) condition.unlink();
    job.conditions.splice(0, job.conditions.length, new ConditionOf<Job>(0, dependency));
    if (table.conditions !== undefined) table.touchRun(0, job.size);
    table.conditions = undefined;
  } else {
    const { number } = findOrAdd(job, dependency);
    for (const [start, count] of runs) {
      for (let position = start; position < start + count; position++) table.setCondition(position, number);
    }
  }
  const changed: [number, number][] = [];
  const unskipped: [number, number][] = [];
  for (const [start, count] of runs ?? [[0, job.size]]) {
    table.moveAll(
      TaskState.skipped,
      TaskState.blocked,
      TaskReason.none,
      (at, length) => unskipped.push([at, length]),
      start,
      count,
    );
    for (const run of [...table.runsOf(TaskState.blocked, start, count)]) {
      changed.push(run);
      // What could never be satisfied can now.
      table.setReason(run[0], run[1], TaskReason.none);
    }
    blockUnstarted(job, start, count, changed);
  }
  return { changed, unskipped };
}

/** Errors: CONFLICT when some tasks of a job cannot wait for one thing more. */
export function checkRoom(job: Job, dependency: Dependency | null): void {
  if (find(job, dependency) === undefined && job.conditions.length === MOST_CONDITIONS) {
    throw new SpawnError('CONFLICT', {
      what: `job ${job.id}`,
      expected: `at most ${MOST_CONDITIONS - 1} dependencies besides its own`,
      found: 'one more',
    });
  }
}

function find(job: Job, dependency: Dependency | null): Condition | undefined {
  const text = dependency === null ? '' : formatDependency(dependency);
  return job.conditions.find((condition) => condition.text === text);
}

function findOrAdd(job: Job, dependency: Dependency | null): Condition {
  const known = find(job, dependency);
  if (known !== undefined) return known;
  checkRoom(job, dependency);
  const added = new ConditionOf<Job>(job.conditions.length, dependency);
  job.conditions.push(added);
  return added;
}

/** Ready tasks that were never tried wait again; all at once where no task of the job was. */
function blockUnstarted(job: Job, start: number, count: number, changed: [number, number][]): void {
  const { table } = job;
  if (job.startedAt === 0 && job.retried === 0) {
    const wait = (at: number, length: number) => changed.push([at, length]);
    table.moveAll(TaskState.ready, TaskState.blocked, TaskReason.none, wait, start, count);
    return;
  }
  for (const [at, length] of [...table.runsOf(TaskState.ready, start, count)]) {
    for (let position = at; position < at + length; position++) {
      if (table.attempts[position] !== 0) continue;
      table.move(position, TaskState.blocked);
      table.touch(position);
      changed.push([position, 1]);
    }
  }
}

/**
 * A way from a job back to itself if it waited for the dependency's jobs, as job numbers; undefined when there is none.
 * @param lookup live jobs by number: what has ended waits for nothing
 */
export function findCycle(
  job: Job,
  dependency: Dependency,
  lookup: (id: number) => Job | undefined,
): number[] | undefined {
  /** From where each job was reached. */
  const from = new Map<number, number>();
  const open: number[] = [];
  const reach = (ids: readonly number[], by: number): void => {
    for (const id of ids) {
      if (from.has(id)) continue;
      from.set(id, by);
      open.push(id);
    }
  };
  reach(namedBy(dependency), job.id);
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === job.id) return wayTo(job.id, from);
    for (const { dependency: next } of lookup(id)?.conditions ?? []) if (next !== null) reach(namedBy(next), id);
  }
  return undefined;
}

function wayTo(id: number, from: ReadonlyMap<number, number>): number[] {
  const way = [id];
  do way.unshift(from.get(way[0]!)!);
  while (way[0] !== id);
  return way;
}

function namedBy({ terms }: Dependency): number[] {
  return terms.flatMap((term) => (term.type === 'singleton' ? [] : [term.jobId as number]));
}
