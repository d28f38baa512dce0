/** What a module with functions for `run: {kind: 'handler'}` imports: `import { defineHandler, Fatal } from 'spawn/handler'`. */

/** A record of the input: a row by its columns, a line, a value. */
export type InputRecord = unknown;

/** The part of the input that the task reads. */
export interface HandlerPart {
  /** Among all parts, from 0 on. */
  readonly position: number;
  /** The batch it belongs to: the parts of one file or group. */
  readonly batch: string;
  /** How many it has; undefined when they were not counted. */
  readonly records: number | undefined;
  /** How long it is in its sources; undefined when it is of very many of them. */
  readonly bytes: number | undefined;
  /** Paths and URLs of where it comes from, the first thousand. */
  sources(): Promise<readonly string[]>;
}

/** What the task knows of its earlier attempts. Kept by the coordinator until the task completes. */
export interface HandlerCheckpoint {
  /** What the newest attempt that did so put there; undefined when none did. */
  get(): Promise<unknown>;
  /** Any value of JSON, or bytes, of which `get` gives a Uint8Array; at most 64 MiB. */
  put(value: unknown): Promise<void>;
}

/** What a handler is called with. */
export interface HandlerContext<Params extends object = Record<string, unknown>> {
  /** Of the task in its array. */
  readonly index: number;
  /** Place of the task in its array, from 0 on. */
  readonly position: number;
  /** Number of the attempt, from 1 on. */
  readonly attempt: number;
  /** `12_7` */
  readonly taskId: string;
  readonly params: Readonly<Params>;
  /** Undefined when the job has no input. */
  readonly part: HandlerPart | undefined;
  /** The records of the part, in order. Throws when the job has no input. */
  records(): AsyncIterable<InputRecord>;
  /** The bytes of the part, in order. Throws when the job has no input. */
  bytes(): AsyncIterable<Uint8Array>;
  readonly checkpoint: HandlerCheckpoint;
  /** How far it is, 0 to 1; also the sign of life that `heartbeat` asks for. */
  progress(fraction: number, message?: string): void;
  /** A line for the log of the task, as console.log writes it. */
  log(...values: unknown[]): void;
  /** Aborted when the task is cancelled, has reached its time limit or has been silent for too long; the process is killed after the grace time. */
  readonly signal: AbortSignal;
  /** Makes a file of the task's output. */
  emit(name: string, data: string | Uint8Array | { readonly file: string }): Promise<void>;
}

/** One task of a job. What it returns, a value of JSON of at most 1 MiB, is the result of the task; undefined: none. */
export type Handler<Params extends object = Record<string, unknown>, Result = unknown> = (
  context: HandlerContext<Params>,
) => Result | Promise<Result>;

/** Gives the function back; its parameter is typed. */
export function defineHandler<Params extends object = Record<string, unknown>, Result = unknown>(
  handler: Handler<Params, Result>,
): Handler<Params, Result> {
  return handler;
}

const FATAL: unique symbol = Symbol.for('spawn.fatal');

/** Thrown where another try would not help: the attempt ends with exit code 100, which is not tried again unless the job asks for it. */
export class Fatal extends Error {
  override readonly name = 'Fatal';

  /** By which it is known, whichever copy of this module it is from. */
  get [FATAL](): true {
    return true;
  }
}
