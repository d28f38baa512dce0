import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';
import { encodeOutcome } from '../../../core/outcome.ts';
import type { StopCause } from '../wire.ts';
import { type JobContext, TaskContext } from './context.ts';
import { errorText, exitCodeFor, HostTask } from './host-task.ts';
import type { RecordWriter } from './records.ts';
import { resultText } from './result-text.ts';
import type { Shared } from './shared.ts';

/** So long tasks follow each other without a turn of the event loop. */
const SLICE_MS = 2;
/** From this long on it is worth to say at once that it is over. */
const NOTABLE_MS = 1;
/** Before another starts after one as long as this, it is made sure that the worker knows. */
const LONG_MS = 8;
const SETTLE_MS = 1_000;

/** Consecutive tasks. */
export interface HostRun {
  readonly ordinal: number;
  readonly position: number;
  readonly count: number;
  readonly attempt: number;
  readonly fence: number;
}

/** Runs one task. */
export type TaskCall = (context: TaskContext) => unknown;

export interface TaskLoopOptions {
  readonly shared: Shared;
  readonly records: RecordWriter;
  readonly of: JobContext;
  /** From the clock of this thread to that of both, ms. */
  readonly clockOffset: number;
  /** No task may be started here any more. */
  readonly onSpent: () => void;
}

/** Calls the handler for one task after the other. */
export class TaskLoop {
  readonly #options: TaskLoopOptions;
  readonly #tasks = new AsyncLocalStorage<HostTask>();
  readonly #params = new Map<number, Readonly<Record<string, unknown>>>();
  #call: TaskCall | undefined;
  #runs: HostRun[] = [];
  #isBusy = false;
  #isSpent = false;
  #sliceFrom = 0;
  #cpuMs = 0;
  current: HostTask | undefined;

  constructor(options: TaskLoopOptions) {
    this.#options = options;
  }

  /** The task in whose call or wake this code runs. */
  get caller(): HostTask | undefined {
    return this.#tasks.getStore();
  }

  /** The function is there. */
  start(call: TaskCall): void {
    this.#call = call;
    void this.#work();
  }

  add(runs: readonly HostRun[]): void {
    this.#runs.push(...runs);
    void this.#work();
  }

  give(ordinal: number, params: readonly Readonly<Record<string, unknown>>[]): void {
    params.forEach((row, at) => {
      this.#params.set(ordinal + at, row);
    });
  }

  /** What was not started is not to be started here; more may come. */
  clear(): void {
    this.#runs = [];
    this.#params.clear();
    if (!this.#isSpent) this.#options.shared.open();
  }

  stop(ordinal: number, cause: StopCause): void {
    if (this.current?.facts.ordinal === ordinal) this.current.stop(cause);
  }

  /** After the running task, if there is one, nothing is started here any more. */
  spend(): void {
    if (this.#isSpent) return;
    this.#isSpent = true;
    this.#options.shared.close();
    if (!this.#isBusy) this.#options.onSpent();
  }

  get isIdle(): boolean {
    return !this.#isBusy && this.#runs.length === 0;
  }

  async #work(): Promise<void> {
    const call = this.#call;
    if (call === undefined || this.#isBusy) return;
    this.#isBusy = true;
    this.#newSlice();
    while (this.#runs.length > 0) {
      const run = this.#runs[0]!;
      for (let at = 0; at < run.count; at++) {
        const isStarted = this.#one(call, run, at);
        // Without a wait where there is none: it would cost as much as a short task.
        if (isStarted !== true && !(await isStarted)) {
          this.#runs = [];
          break;
        }
        if (this.#runs[0] !== run) break;
      }
      if (this.#runs[0] === run) this.#runs.shift();
    }
    this.#isBusy = false;
    this.#options.records.ring();
    if (this.#isSpent) this.#options.onSpent();
  }

  /** False when it may not be started. */
  #one(call: TaskCall, run: HostRun, at: number): Promise<boolean> | boolean {
    const { shared, records, of, clockOffset } = this.#options;
    const ordinal = run.ordinal + at;
    const startedAt = performance.now();
    shared.startedAt = startedAt + clockOffset;
    if (!shared.claim(ordinal)) return false;
    const facts = {
      ...{ ordinal, position: run.position + at, attempt: run.attempt, fence: run.fence + at },
      params: this.#params.size === 0 ? undefined : this.#params.get(ordinal),
    };
    const task = new HostTask(facts, startedAt, records, of.job.logCapBytes);
    this.current = task;
    let value: unknown;
    try {
      value = this.#tasks.run(task, call, new TaskContext(of, task));
      if (isThenable(value)) return this.#waitFor(task, value);
    } catch (error) {
      return this.#over(task, this.#failed(task, error));
    }
    return this.#over(task, this.#returned(task, value));
  }

  async #waitFor(task: HostTask, promise: PromiseLike<unknown>): Promise<boolean> {
    let outcome: number;
    try {
      outcome = this.#returned(task, await task.outcomeOf(promise));
    } catch (error) {
      outcome = this.#failed(task, error);
    }
    return this.#over(task, outcome);
  }

  #returned(task: HostTask, value: unknown): number {
    try {
      const text = resultText(value);
      if (text === undefined) return 0;
      task.hasResult = true;
      this.#options.records.result(text);
      return 0;
    } catch (error) {
      task.say(error instanceof Error ? error.message : String(error));
      return encodeOutcome({ kind: 'exited', code: 1 });
    }
  }

  #failed(task: HostTask, error: unknown): number {
    task.say(errorText(error));
    return encodeOutcome({ kind: 'exited', code: exitCodeFor(error) });
  }

  /** Says its end, and lets the event loop have its turn from time to time. */
  #over(task: HostTask, outcome: number): Promise<boolean> | boolean {
    const forMs = performance.now() - task.startedAt;
    // What it left behind may still fail, and it is not too late yet.
    if (forMs >= NOTABLE_MS && outcome === 0) return this.#settled(task, outcome);
    this.#end(task, outcome, 0);
    return performance.now() - this.#sliceFrom < SLICE_MS ? true : this.#pause();
  }

  async #settled(task: HostTask, outcome: number): Promise<boolean> {
    await setImmediate();
    let end = outcome;
    try {
      task.check();
    } catch (error) {
      end = this.#failed(task, error);
    }
    const cpuMs = this.#cpuSince();
    if (this.#end(task, end, cpuMs) >= LONG_MS) this.#options.records.settle(SETTLE_MS);
    else this.#options.records.ring();
    return this.#pause();
  }

  #end(task: HostTask, outcome: number, cpuMs: number): number {
    if (this.#params.size > 0) this.#params.delete(task.facts.ordinal);
    this.current = undefined;
    return task.end(outcome, cpuMs);
  }

  async #pause(): Promise<boolean> {
    await setImmediate();
    this.#newSlice();
    return true;
  }

  #newSlice(): void {
    this.#sliceFrom = performance.now();
    this.#cpuSince();
  }

  #cpuSince(): number {
    const { user, system } = process.cpuUsage();
    const before = this.#cpuMs;
    this.#cpuMs = (user + system) / 1_000;
    return Math.max(0, this.#cpuMs - before);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
