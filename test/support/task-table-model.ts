import { expect } from 'vitest';
import { packPage, unpackPage } from '../../src/core/task-page.ts';
import { TASK_STATES, TaskState } from '../../src/core/task-state.ts';
import { PAGE_TASKS, TaskFlag, TaskReason, TaskTable } from '../../src/core/task-table.ts';

export interface PlainTask {
  state: TaskState;
  reason: TaskReason;
  flags: number;
  attempts: number;
  failures: number;
  losses: number;
  outcome: number;
  retryTick: number;
  shutOut: boolean;
}

type Run = [start: number, count: number];

function holds({ state }: PlainTask): boolean {
  return state === TaskState.leased || state === TaskState.running;
}

function mayRun(task: PlainTask): boolean {
  return task.state === TaskState.ready && (task.flags & TaskFlag.held) === 0 && task.retryTick === 0 && !task.shutOut;
}

/** A table beside an array of plain objects and a store of pages; each method does the same to both, as the coordinator would. */
export class TaskTableModel {
  readonly table: TaskTable;
  readonly tasks: PlainTask[];
  readonly pages = new Map<number, Uint8Array>();
  #gate: Uint32Array | undefined;

  constructor(size: number, ground: TaskState) {
    this.table = new TaskTable(size, ground);
    this.tasks = Array.from({ length: size }, () => ({
      state: ground,
      reason: TaskReason.none,
      flags: 0,
      attempts: 0,
      failures: 0,
      losses: 0,
      outcome: 0,
      retryTick: 0,
      shutOut: false,
    }));
  }

  get size(): number {
    return this.tasks.length;
  }

  /** Leases the next run of what may be granted; that stores no page. */
  grant(from: number, max: number): void {
    const start = this.tasks.findIndex((task, position) => position >= from && mayRun(task));
    const run = this.table.eligible.sets[0].takeRun(from, max);
    if (start < 0) {
      expect(run).toBeUndefined();
      return;
    }
    let count = 1;
    while (count < max && start + count < this.size && mayRun(this.tasks[start + count]!)) count++;
    expect(run).toEqual([start, count]);
    this.table.moveRun(start, count, TaskState.ready, TaskState.leased);
    for (const task of this.tasks.slice(start, start + count)) task.state = TaskState.leased;
  }

  start(position: number): void {
    const task = this.tasks[position]!;
    if (task.state !== TaskState.leased) return;
    task.attempts++;
    task.state = TaskState.running;
    this.table.attempts[position]!++;
    this.table.move(position, TaskState.running);
  }

  giveBack(position: number): void {
    const task = this.tasks[position]!;
    if (task.state !== TaskState.leased) return;
    task.state = TaskState.ready;
    if (this.table.ground !== TaskState.ready) this.table.touch(position);
    this.table.move(position, TaskState.ready);
  }

  /** An attempt ends, with whatever follows from it. */
  end(position: number, to: TaskState, more: Pick<PlainTask, 'reason' | 'failures' | 'losses' | 'outcome'>): void {
    const { table } = this;
    const task = this.tasks[position]!;
    if (!holds(task)) return;
    Object.assign(task, more, { state: to, flags: task.flags & TaskFlag.held });
    table.setCounters(position, more.failures, more.losses);
    table.setOutcome(position, more.outcome);
    table.setReason(position, 1, more.reason);
    table.setFlag(position, TaskFlag.cancelRequested, false);
    table.setFlag(position, TaskFlag.requeueRequested, false);
    table.move(position, to);
    table.touch(position);
  }

  flag(position: number, flag: number, on: boolean): void {
    const task = this.tasks[position]!;
    task.flags = on ? task.flags | flag : task.flags & ~flag;
    this.table.setFlag(position, flag, on);
  }

  delay(position: number, retryTick: number): void {
    this.tasks[position]!.retryTick = retryTick;
    this.table.setRetryTick(position, retryTick);
    this.table.touch(position);
  }

  /** Every `step`-th task alone may run, or all of them. */
  gate(step: number | undefined): void {
    const all = Uint32Array.from(this.tasks.keys());
    this.#gate = step === undefined ? undefined : all.filter((position) => position % step === 0);
    for (const [position, task] of this.tasks.entries()) task.shutOut = step !== undefined && position % step !== 0;
    this.table.setGate(this.#gate);
  }

  reason(start: number, count: number, reason: TaskReason): void {
    for (const task of this.tasks.slice(start, start + count)) task.reason = reason;
    this.table.setReason(start, count, reason);
  }

  moveAll(from: TaskState, to: TaskState, reason: TaskReason, start: number, count: number): void {
    const expected = this.runsOf(from, start, count);
    const told: Run[] = [];
    for (const [at, length] of expected) {
      for (const task of this.tasks.slice(at, at + length)) Object.assign(task, { state: to, reason });
    }
    this.table.moveAll(from, to, reason, (at, length) => told.push([at, length]), start, count);
    expect(told).toEqual(expected);
    // What is leased was not moved. It leaves the pages that are not stored before the ground stops being ready.
    for (const [position, task] of this.tasks.entries()) {
      if (!holds(task) || from !== TaskState.ready || this.table.ground === TaskState.ready) continue;
      task.reason = reason;
      task.flags |= TaskFlag.cancelRequested;
      this.table.setFlag(position, TaskFlag.cancelRequested, true);
      this.table.setReason(position, 1, reason);
    }
  }

  runsOf(state: TaskState, start = 0, count = this.size): Run[] {
    const runs: Run[] = [];
    for (let position = start; position < start + count; position++) {
      if (this.tasks[position]!.state !== state) continue;
      const last = runs.at(-1);
      if (last !== undefined && last[0] + last[1] === position) last[1]++;
      else runs.push([position, 1]);
    }
    return runs;
  }

  /** Stores what changed since the last time. */
  commit(): void {
    for (const page of this.table.dirty) this.pages.set(page, packPage(this.table, page));
    this.table.dirty.clear();
  }

  /** The table that a restart would make of what is stored, before the grants are laid over it. */
  restored(): TaskTable {
    const table = new TaskTable(this.size, this.table.ground);
    table.groundReason = this.table.groundReason;
    for (const [page, data] of this.pages) unpackPage(table, page, data);
    if (this.#gate !== undefined) table.setGate(this.#gate);
    return table;
  }

  /** Every column says what the plain tasks say. Of a restored table, what was leased or running is ready. */
  expectSame(table: TaskTable, restored: boolean): void {
    const counts = TASK_STATES.map(() => 0);
    let eligible = 0;
    for (const [position, task] of this.tasks.entries()) {
      const held = restored && holds(task);
      const expected = held ? { ...task, state: TaskState.ready } : task;
      const found = taskOf(table, position);
      // How often a task has started is stored with its grant until it ends.
      if (held) found.attempts = task.attempts;
      // Comparing a million properties with `expect` takes seconds.
      if (!isSame(found, expected)) expect(found, `task ${position}`).toEqual(expected);
      counts[expected.state]!++;
      if (mayRun(expected)) eligible++;
      if (table.eligible.has(position) !== mayRun(expected)) expect.fail(`task ${position} is wrongly eligible or not`);
    }
    expect([...table.counts]).toEqual(counts);
    expect(table.ended).toBe(counts.slice(TaskState.completed).reduce((sum, each) => sum + each, 0));
    expect(table.eligible.count).toBe(eligible);
    expect(table.touched.length).toBe(Math.ceil(this.size / PAGE_TASKS));
  }
}

function taskOf(table: TaskTable, position: number): PlainTask {
  const flags = [TaskFlag.cancelRequested, TaskFlag.requeueRequested, TaskFlag.held];
  return {
    state: table.state[position] as TaskState,
    reason: table.reasonOf(position),
    flags: flags.reduce((sum, flag) => sum + (table.hasFlag(position, flag) ? flag : 0), 0),
    attempts: table.attempts[position]!,
    failures: table.failures?.[position] ?? 0,
    losses: table.losses?.[position] ?? 0,
    outcome: table.outcomes?.[position] ?? 0,
    retryTick: table.retryTicks?.[position] ?? 0,
    shutOut: table.isShutOut(position),
  };
}

function isSame(a: PlainTask, b: PlainTask): boolean {
  return (Object.keys(a) as (keyof PlainTask)[]).every((name) => a[name] === b[name]);
}
