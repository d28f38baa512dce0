import { equalUntil } from './equal-until.ts';
import type { Job } from './job.ts';
import { TaskState } from './task-state.ts';
import { PAGE_TASKS, TaskFlag, type TaskReason, type TaskTable } from './task-table.ts';

/** Consecutive tasks of a job of which the same holds. */
export interface TaskStretch {
  readonly start: number;
  readonly count: number;
  readonly state: TaskState;
  /** May be granted now; where it may, its condition, its reason and holds are not looked at. */
  readonly eligible: boolean;
  /** Number of the lane and of the condition. */
  readonly lane: number;
  readonly condition: number;
  readonly reason: TaskReason;
  /** By a flag of its own, whatever holds for the job. */
  readonly held: boolean;
  /** Known of tasks that are held, cancelled or skipped; false of all others. */
  readonly tried: boolean;
}

/**
 * The tasks `from` … `to`-1 as stretches, ascending. What the table knows of many tasks at once is not looked at task by task, so that a
 * million of which nothing special is known cost a few thousand steps. The job must not change meanwhile.
 */
export function* stretchesOf(job: Job, from: number, to: number): Generator<TaskStretch> {
  const { table } = job;
  const { eligible } = table;
  const columns = new Columns(table, to);
  const minds = job.held && job.retried > 0;
  for (let at = from; at < to; ) {
    const lane = eligible.laneOf(at);
    const run = eligible.sets[lane]!.runLength(at, to - at);
    const next = run > 0 ? at + run : columns.sameUntil(at);
    const state = table.state[at] as TaskState;
    const held = run === 0 && table.hasFlag(at, TaskFlag.held);
    const asks = run > 0 ? minds : held || minds || state === TaskState.cancelled || state === TaskState.skipped;
    const [tried, end] = asks ? triedUntil(table, at, next) : [false, next];
    yield {
      start: at,
      count: end - at,
      state,
      eligible: run > 0,
      lane,
      condition: table.conditions?.[at] ?? 0,
      reason: table.reasonOf(at),
      held,
      tried,
    };
    at = end;
  }
}

function triedUntil({ attempts }: TaskTable, from: number, to: number): [tried: boolean, end: number] {
  const tried = attempts[from]! > 0;
  let at = from + 1;
  while (at < to && attempts[at]! > 0 === tried) at++;
  return [tried, at];
}

/** Where the tasks that may not be granted stop being alike. What was found of a column holds until the walk has come there. */
class Columns {
  readonly #table: TaskTable;
  readonly #to: number;
  readonly #ends = new Map<Uint8Array, number>();

  constructor(table: TaskTable, to: number) {
    this.#table = table;
    this.#to = to;
  }

  sameUntil(at: number): number {
    const { state, lanes, conditions, flags } = this.#table;
    let end = this.#until(state, at, this.#to);
    if (state[at] === TaskState.ready) end = Math.min(end, this.#nextEligible(at));
    // Of what runs or has run, only those two are shown that may never have started.
    if (state[at]! >= TaskState.running && state[at]! < TaskState.cancelled) return end;
    for (const column of [lanes, conditions, flags]) {
      if (column !== undefined) end = Math.min(end, this.#until(column, at, this.#to));
    }
    return Math.min(end, this.#reasonUntil(at));
  }

  #reasonUntil(at: number): number {
    const { touched, reasons } = this.#table;
    const page = Math.floor(at / PAGE_TASKS);
    const end = this.#until(touched, page, touched.length) * PAGE_TASKS;
    return touched[page] === 0 || reasons === undefined ? end : Math.min(end, this.#until(reasons, at, this.#to));
  }

  #nextEligible(at: number): number {
    let next = this.#to;
    for (const set of this.#table.eligible.sets) {
      const first = set.first(at);
      if (first >= 0) next = Math.min(next, first);
    }
    return next;
  }

  #until(column: Uint8Array, at: number, end: number): number {
    const known = this.#ends.get(column);
    if (known !== undefined && known > at) return known;
    const found = equalUntil(column, at, end);
    this.#ends.set(column, found);
    return found;
  }
}
