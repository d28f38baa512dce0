import { Eligible } from './eligible.ts';
import { longer, longerIfThere } from './longer.ts';
import { TaskReason } from './task-reasons.ts';
import { TASK_STATES, TaskState } from './task-state.ts';

export { TASK_REASONS, TaskReason } from './task-reasons.ts';

/** Tasks in one stored page. */
export const PAGE_TASKS = 4096;

/** Bits of the `flags` column. */
export const TaskFlag = { cancelRequested: 1, requeueRequested: 2, held: 4 } as const;

/** A column that costs nothing until something is not zero. */
type Lazy<T> = T | undefined;

/**
 * The state of all tasks of one job, by position, in a few bytes each. A page in which nothing ever happened is not stored: its tasks
 * are all in the `ground` state. Bulk methods work on runs, so that a million untouched tasks cost one fill.
 */
export class TaskTable {
  /** Changed by `grow` alone, as all columns are. */
  size: number;
  state: Uint8Array;
  /** Attempts started so far. */
  attempts: Uint16Array;
  readonly counts = new Int32Array(TASK_STATES.length);
  /** Ready, not held, not waiting for a retry time and inside the gate: what may be granted now, by lane. */
  readonly eligible: Eligible;
  /** State of every task in a page that was never touched. */
  ground: TaskState;
  /** Reason of every task in such a page. */
  groundReason: TaskReason = TaskReason.none;
  /** 1 for pages that differ from the ground and so are stored. */
  touched: Uint8Array;
  /** Pages changed since the last commit. */
  readonly dirty = new Set<number>();
  failures: Lazy<Uint16Array>;
  losses: Lazy<Uint16Array>;
  reasons: Lazy<Uint8Array>;
  flags: Lazy<Uint8Array>;
  /** encodeOutcome() of the last ended attempt. */
  outcomes: Lazy<Uint16Array>;
  /** When it may run again: units of 10 ms since the job was created, plus 1; 0 = at once. */
  retryTicks: Lazy<Uint32Array>;
  /** Number of the condition that each waits for. */
  conditions: Lazy<Uint8Array>;

  constructor(size: number, ground: TaskState) {
    this.size = size;
    this.ground = ground;
    this.state = new Uint8Array(size);
    if (ground !== 0) this.state.fill(ground);
    this.attempts = new Uint16Array(size);
    this.touched = new Uint8Array(Math.ceil(size / PAGE_TASKS));
    this.counts[ground] = size;
    this.eligible = new Eligible(size, ground === TaskState.ready);
  }

  /** Adds tasks in a state behind the last one; all that is known of the others stays. Nothing is eligible yet if a gate is set. */
  grow(count: number, state: TaskState): void {
    const start = this.size;
    const size = start + count;
    this.size = size;
    this.state = longer(this.state, size);
    this.attempts = longer(this.attempts, size);
    this.touched = longer(this.touched, Math.ceil(size / PAGE_TASKS));
    this.failures = longerIfThere(this.failures, size);
    this.losses = longerIfThere(this.losses, size);
    this.reasons = longerIfThere(this.reasons, size);
    this.flags = longerIfThere(this.flags, size);
    this.outcomes = longerIfThere(this.outcomes, size);
    this.retryTicks = longerIfThere(this.retryTicks, size);
    this.conditions = longerIfThere(this.conditions, size);
    this.eligible.grow(size);
    this.state.fill(state, start);
    this.counts[state]! += count;
    if (state === TaskState.ready) this.#addEligible(start, count);
    const isGround = state === this.ground && this.groundReason === TaskReason.none;
    if (!isGround || this.touched[Math.floor(start / PAGE_TASKS)] === 1) this.setReason(start, count, TaskReason.none);
  }

  /** Number of each task's lane. */
  get lanes(): Lazy<Uint8Array> {
    return this.eligible.lanes;
  }

  /** Moves tasks to a lane that was added; a grant that one of them has stays with the lane it was given for. */
  setLane(start: number, count: number, lane: number): void {
    this.eligible.move(start, count, lane);
    this.touchRun(start, count);
  }

  touch(position: number): void {
    this.#touchPage(Math.floor(position / PAGE_TASKS));
  }

  touchRun(start: number, count: number): void {
    const last = Math.floor((start + count - 1) / PAGE_TASKS);
    for (let page = Math.floor(start / PAGE_TASKS); page <= last; page++) this.#touchPage(page);
  }

  /** Moves one task; `eligible` follows. Not stored unless the caller touches it: grants and starts are stored with the grant. */
  move(position: number, to: TaskState): void {
    const from = this.state[position]!;
    this.counts[from]!--;
    this.counts[to]!++;
    this.state[position] = to;
    if (to === TaskState.ready) {
      if (this.#mayRun(position)) this.eligible.add(position);
    } else if (from === TaskState.ready) {
      this.eligible.delete(position);
    }
  }

  /** Moves a run of tasks that are all in state `from`. */
  moveRun(start: number, count: number, from: TaskState, to: TaskState): void {
    this.counts[from]! -= count;
    this.counts[to]! += count;
    this.state.fill(to, start, start + count);
    if (from === TaskState.ready) this.eligible.deleteRange(start, count);
    if (to === TaskState.ready) this.#addEligible(start, count);
  }

  /**
   * Moves every task in state `from` (within [start, start+count) ), gives it the reason, stores the change, and tells each run. With
   * all tasks named, untouched pages move with the ground and are not stored.
   */
  moveAll(
    from: TaskState,
    to: TaskState,
    reason: TaskReason,
    each: (start: number, count: number) => void,
    start = 0,
    count = this.size,
  ): void {
    if (this.counts[from] === 0) return;
    const runs = [...this.runsOf(from, start, count)];
    const withGround = start === 0 && count === this.size && this.ground === from;
    for (const [at, length] of runs) {
      this.moveRun(at, length, from, to);
      if (withGround) this.#changeTouched(at, length, reason);
      else this.setReason(at, length, reason);
    }
    if (withGround) {
      this.ground = to;
      this.groundReason = reason;
    }
    for (const [at, length] of runs) each(at, length);
  }

  /** Runs of consecutive tasks in a state. */
  *runsOf(state: TaskState, start = 0, count = this.size): Generator<[start: number, count: number]> {
    if (this.counts[state] === this.size) {
      if (count > 0) yield [start, count];
      return;
    }
    if (this.counts[state] === 0) return;
    const end = start + count;
    // Without what lies behind: looking through all of that for every short stretch would take a square of time.
    const states = end === this.size ? this.state : this.state.subarray(0, end);
    let at = states.indexOf(state, start);
    while (at >= 0) {
      let next = at + 1;
      while (next < end && states[next] === state) next++;
      yield [at, next - at];
      at = states.indexOf(state, next);
    }
  }

  hasFlag(position: number, flag: number): boolean {
    return this.flags !== undefined && (this.flags[position]! & flag) !== 0;
  }

  setFlag(position: number, flag: number, on: boolean): void {
    if (this.hasFlag(position, flag) === on) return;
    this.flags ??= new Uint8Array(this.size);
    this.flags[position] = on ? this.flags[position]! | flag : this.flags[position]! & ~flag;
    this.touch(position);
    if (flag === TaskFlag.held) this.#reviewEligible(position);
  }

  reasonOf(position: number): TaskReason {
    if (this.touched[Math.floor(position / PAGE_TASKS)] === 0) return this.groundReason;
    return (this.reasons?.[position] ?? 0) as TaskReason;
  }

  /** Stores the change: a page that is stored later takes the reason of the ground. */
  setReason(start: number, count: number, reason: TaskReason): void {
    this.touchRun(start, count);
    this.#fillReason(start, count, reason);
  }

  setOutcome(position: number, outcome: number): void {
    if (this.outcomes === undefined && outcome === 0) return;
    this.outcomes ??= new Uint16Array(this.size);
    this.outcomes[position] = outcome;
  }

  setCounters(position: number, failures: number, losses: number): void {
    if (failures > 0 || this.failures !== undefined) {
      this.failures ??= new Uint16Array(this.size);
      this.failures[position] = failures;
    }
    if (losses > 0 || this.losses !== undefined) {
      this.losses ??= new Uint16Array(this.size);
      this.losses[position] = losses;
    }
  }

  /** 0 lets it run at once. */
  setRetryTick(position: number, tick: number): void {
    if (this.retryTicks === undefined && tick === 0) return;
    this.retryTicks ??= new Uint32Array(this.size);
    this.retryTicks[position] = tick;
    this.#reviewEligible(position);
  }

  setCondition(position: number, condition: number): void {
    if ((this.conditions?.[position] ?? 0) === condition) return;
    this.conditions ??= new Uint8Array(this.size);
    this.conditions[position] = condition;
    this.touch(position);
  }

  /** Lets only these tasks be granted from now on, or all. */
  setGate(positions: Uint32Array | undefined): void {
    this.eligible.setGate(positions);
    for (const [start, count] of this.runsOf(TaskState.ready)) {
      this.eligible.deleteRange(start, count);
      this.#addEligible(start, count);
    }
  }

  /** A gate keeps it from being granted. */
  isShutOut(position: number): boolean {
    return this.eligible.isShutOut(position);
  }

  /** Tasks that have ended: nothing moves them but a person, or the retry of a predecessor. */
  get ended(): number {
    const { counts } = this;
    return (
      counts[TaskState.completed]! +
      counts[TaskState.failed]! +
      counts[TaskState.cancelled]! +
      counts[TaskState.skipped]!
    );
  }

  #reviewEligible(position: number): void {
    if (this.state[position] !== TaskState.ready) return;
    if (this.#mayRun(position)) this.eligible.add(position);
    else this.eligible.delete(position);
  }

  #mayRun(position: number): boolean {
    if (this.flags !== undefined && (this.flags[position]! & TaskFlag.held) !== 0) return false;
    return this.retryTicks === undefined || this.retryTicks[position] === 0;
  }

  #addEligible(start: number, count: number): void {
    if (this.flags === undefined && this.retryTicks === undefined) {
      this.eligible.addRange(start, count);
      return;
    }
    for (let position = start; position < start + count; position++) {
      if (this.#mayRun(position)) this.eligible.add(position);
    }
  }

  #touchPage(page: number): void {
    this.dirty.add(page);
    if (this.touched[page] === 1) return;
    this.touched[page] = 1;
    const start = page * PAGE_TASKS;
    this.#fillReason(start, Math.min(PAGE_TASKS, this.size - start), this.groundReason);
  }

  #fillReason(start: number, count: number, reason: TaskReason): void {
    if (this.reasons === undefined && reason === TaskReason.none) return;
    this.reasons ??= new Uint8Array(this.size);
    this.reasons.fill(reason, start, start + count);
  }

  /** Of the pages under a run that moved with the ground, those that are stored must be stored again. */
  #changeTouched(start: number, count: number, reason: TaskReason): void {
    const end = start + count;
    for (let page = Math.floor(start / PAGE_TASKS); page * PAGE_TASKS < end; page++) {
      if (this.touched[page] === 0) continue;
      this.dirty.add(page);
      const from = Math.max(start, page * PAGE_TASKS);
      this.#fillReason(from, Math.min(end, (page + 1) * PAGE_TASKS) - from, reason);
    }
  }
}
