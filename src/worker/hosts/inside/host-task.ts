import { inspect } from 'node:util';
import { LogStream } from '../../../core/log-record.ts';
import type { StopCause } from '../wire.ts';
import type { RecordWriter } from './records.ts';
import { TaskLog } from './task-log.ts';

const REASONS: Readonly<Record<StopCause, string>> = {
  cancel: 'the task was cancelled',
  timeLimit: 'the task has reached its time limit',
  stalled: 'the task has said nothing of its progress for too long',
  shutdown: 'the worker stops',
};

/** What a task is called by. */
export interface TaskFacts {
  readonly ordinal: number;
  readonly position: number;
  readonly attempt: number;
  readonly fence: number;
  /** Its own, over those of the job. */
  readonly params: Readonly<Record<string, unknown>> | undefined;
}

/** One call of the handler. */
export class HostTask {
  readonly facts: TaskFacts;
  readonly startedAt: number;
  readonly #records: RecordWriter;
  readonly #capBytes: number;
  #log: TaskLog | undefined;
  #abort: AbortController | undefined;
  #stopped: StopCause | undefined;
  #rejectEnd: ((error: unknown) => void) | undefined;
  #failure: { readonly error: unknown } | undefined;
  isOver = false;
  hasResult = false;

  constructor(facts: TaskFacts, startedAt: number, records: RecordWriter, capBytes: number) {
    this.facts = facts;
    this.startedAt = startedAt;
    this.#records = records;
    this.#capBytes = capBytes;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#stopped !== undefined) this.#abort.abort(new Error(REASONS[this.#stopped]));
    }
    return this.#abort.signal;
  }

  stop(cause: StopCause): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = cause;
    this.#abort?.abort(new Error(REASONS[cause]));
  }

  /** Something of it failed outside of the call: the call has failed. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#rejectEnd?.(error);
  }

  /** @throws what `fail` was given */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** What the call comes to, or what `fail` was given before. */
  async outcomeOf(promise: PromiseLike<unknown>): Promise<unknown> {
    const { promise: failed, reject } = Promise.withResolvers<never>();
    this.#rejectEnd = reject;
    this.check();
    const value = await Promise.race([promise, failed]);
    this.#rejectEnd = undefined;
    return value;
  }

  write(stream: typeof LogStream.STDOUT | typeof LogStream.STDERR, data: Uint8Array): void {
    if (this.isOver) return;
    this.#log ??= new TaskLog(this.#capBytes, (kind, piece) =>
      this.#records.log(kind, performance.now() - this.startedAt, piece),
    );
    this.#log.write(stream, data);
  }

  /** A line on standard error, as the tool says it. */
  say(text: string): void {
    this.write(LogStream.STDERR, Buffer.from(`${text}\n`));
  }

  end(outcome: number, cpuMs: number): number {
    const wallMs = performance.now() - this.startedAt;
    const cutBytes = this.#log?.end() ?? 0;
    this.isOver = true;
    this.#records.end({ outcome, wallMs, cpuMs, cutBytes, hasResult: this.hasResult });
    return wallMs;
  }
}

/** Frames of how a handler was called. */
const OURS = /^\s+at .*(?:\/worker\/hosts\/inside\/|node:internal\/)/;

/** What a person reads of something thrown. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return `the handler threw ${inspect(error, { depth: 3, maxStringLength: 10_000 })}`;
  try {
    const text = inspect(error, { depth: 3, maxStringLength: 10_000 });
    // How it was called says nothing to whoever wrote the handler.
    return text
      .split('\n')
      .filter((line) => !OURS.test(line))
      .join('\n');
  } catch {
    return String(error.message);
  }
}

/** Exit code of an attempt whose handler threw. */
export function exitCodeFor(error: unknown): number {
  const isFatal = typeof error === 'object' && error !== null && Reflect.get(error, Symbol.for('spawn.fatal')) === true;
  return isFatal ? 100 : 1;
}
