import { createReadStream } from 'node:fs';
import type { Planned } from '../../api/data.ts';
import type { Progress } from '../../api/session.ts';
import { SpawnError } from '../../core/errors.ts';
import type { WorkerClient } from '../client.ts';
import { type OutputFile, resultJson } from '../records/results.ts';
import type { TaskOutput } from './task-output.ts';

/** Of the JSON text of one result. */
export const MOST_RESULT_BYTES = 1024 * 1024;
export const MOST_CHECKPOINT_BYTES = 64 * 1024 * 1024;
/** Characters of what a task says of its progress, or of its end. */
const MOST_MESSAGE = 1_000;

/** An attempt that asks something of its worker. */
export interface CallingTask {
  readonly jobId: number;
  readonly position: number;
  readonly attempt: number;
  readonly fence: number;
}

/** What was said with `complete`: it stands, whatever its process does then. */
export interface Completion {
  readonly isFailed: boolean;
  readonly message?: string;
}

/** Where bytes of a task come from. */
export type EmitSource = { readonly data: Uint8Array | AsyncIterable<Uint8Array> } | { readonly path: string };

export interface AttemptCallsOptions {
  readonly client: Pick<WorkerClient, 'checkpoint' | 'putCheckpoint' | 'putBlob'>;
  readonly sessionId: number;
  /** Says how far an attempt is; the latest word counts. */
  readonly onProgress: (progress: Progress) => void;
  readonly onPlanned: (planned: Planned) => void;
  /** The attempt has shown that it lives. */
  readonly onHeard: (fence: number) => void;
  /** A new one for each call; undefined when its job has no output. */
  readonly outputOf: (task: CallingTask) => TaskOutput | undefined;
  /** The session is over. */
  readonly signal: AbortSignal;
}

/** What one attempt asks of its worker while it runs. Everything that is wrong with a request throws BAD_REQUEST. */
export class AttemptCalls {
  readonly #options: AttemptCallsOptions;
  readonly #task: CallingTask;
  #output: TaskOutput | undefined;
  #value: Uint8Array | undefined;
  #completion: Completion | undefined;

  constructor(options: AttemptCallsOptions, task: CallingTask) {
    this.#options = options;
    this.#task = task;
  }

  get completion(): Completion | undefined {
    return this.#completion;
  }

  /** Something of it is to be published or written down before its end is said. */
  get hasLeft(): boolean {
    return this.#output !== undefined || this.#value !== undefined || this.#completion?.message !== undefined;
  }

  /** @param fraction of its work that is done, 0 to 1 */
  progress(fraction: number, message?: string): void {
    if (typeof fraction !== 'number' || !(fraction >= 0 && fraction <= 1)) {
      throw new SpawnError('BAD_REQUEST', { where: 'progress', expected: 'a number from 0 to 1', found: fraction });
    }
    checkMessage(message);
    const { fence } = this.#task;
    this.#options.onHeard(fence);
    this.#options.onProgress({ fence, fraction, ...(message === undefined ? {} : { message }) });
  }

  /** The newest one of the task, perhaps of an earlier attempt; undefined when there is none. Errors: those of the coordinator. */
  async checkpoint(): Promise<Uint8Array | undefined> {
    const { client, sessionId, signal } = this.#options;
    this.#options.onHeard(this.#task.fence);
    return await client.checkpoint(sessionId, this.#task.fence, { signal });
  }

  /** Durable at the coordinator when it resolves. */
  async putCheckpoint(bytes: Uint8Array): Promise<void> {
    const { client, sessionId, signal } = this.#options;
    checkSize('checkpoint', bytes.byteLength, MOST_CHECKPOINT_BYTES);
    this.#options.onHeard(this.#task.fence);
    await client.putCheckpoint(sessionId, this.#task.fence, bytes, { signal });
    this.#options.onHeard(this.#task.fence);
  }

  /** Takes a file in for the output of the job, where it appears when the attempt has succeeded. */
  async emit(name: string, from: EmitSource): Promise<OutputFile> {
    this.#output ??= this.#options.outputOf(this.#task);
    if (this.#output === undefined) {
      const found = 'a job without one';
      throw new SpawnError('BAD_REQUEST', { where: 'emit', expected: 'a job with an output (output.to)', found });
    }
    this.#options.onHeard(this.#task.fence);
    const file = await this.#output.add(name, bytesOf(from));
    this.#options.onHeard(this.#task.fence);
    return file;
  }

  /** @param json text of one value, UTF-8; the last one counts */
  result(json: Uint8Array): void {
    this.#value = oneLine(json);
    this.#options.onHeard(this.#task.fence);
  }

  /** The attempt has succeeded or failed, whatever its process does from now on. The first word stands: CONFLICT for another one. */
  complete(isFailed: boolean, message?: string): void {
    checkMessage(message);
    const before = this.#completion;
    if (before === undefined) this.#completion = { isFailed, ...(message === undefined ? {} : { message }) };
    else if (before.isFailed !== isFailed) {
      const [expected, found] = [wordOf(before.isFailed), wordOf(isFailed)];
      throw new SpawnError('CONFLICT', { what: 'complete', expected: `${expected}, as was said before`, found });
    }
    this.#options.onHeard(this.#task.fence);
  }

  /** Keeps a piece of a plan; gives its hash. */
  async putPiece(bytes: Uint8Array): Promise<string> {
    const { client, signal } = this.#options;
    const { hash } = await client.putBlob('plan', bytes, { signal });
    this.#options.onHeard(this.#task.fence);
    return hash;
  }

  /** What a planning task has found. */
  planned(plan: Omit<Planned, 'fence'>): void {
    this.#options.onPlanned({ ...plan, fence: this.#task.fence });
  }

  /**
   * Its process has ended: publishes its files when it has succeeded, and gives the JSON of its result record; undefined when there is none. What
   * it throws makes the attempt fail.
   * @param output that has files which nobody has emitted
   */
  async finish(isOk: boolean, output?: TaskOutput): Promise<Uint8Array | undefined> {
    this.#output ??= output;
    if (!isOk) {
      await this.#output?.discard();
      return resultJson({ message: this.#completion?.message });
    }
    const files = await this.#output?.publish();
    return resultJson({ value: this.#value, files });
  }

  /** Nothing of it is wanted any more. */
  async over(): Promise<void> {
    await this.#output?.discard();
  }
}

function wordOf(isFailed: boolean): string {
  return isFailed ? 'failed' : 'success';
}

function checkMessage(message: string | undefined): void {
  if (message !== undefined && message.length > MOST_MESSAGE) {
    const expected = `at most ${MOST_MESSAGE} characters`;
    throw new SpawnError('BAD_REQUEST', { where: 'message', expected, found: message.length });
  }
}

function checkSize(where: string, bytes: number, most: number): void {
  if (bytes > most) throw new SpawnError('BAD_REQUEST', { where, expected: `at most ${most} bytes`, found: bytes });
}

/** Numbers stay as they were written, however many digits they have. */
function oneLine(json: Uint8Array): Uint8Array {
  checkSize('result', json.byteLength, MOST_RESULT_BYTES);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(json);
    JSON.parse(text);
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    throw new SpawnError('BAD_REQUEST', { where: 'result', expected: 'one JSON value in UTF-8', found });
  }
  // Ends of lines are allowed between words only, never inside a text.
  return Buffer.from(text.replaceAll(/[\r\n]+/g, ' ').trim());
}

function bytesOf(from: EmitSource): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  if ('path' in from) return createReadStream(from.path, { highWaterMark: 1024 * 1024 });
  return from.data instanceof Uint8Array ? [from.data] : from.data;
}
