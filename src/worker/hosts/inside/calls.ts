import { CallAnswer, CallKind } from '../wire.ts';
import type { HostTask } from './host-task.ts';
import type { RecordWriter } from './records.ts';

const MOST_CHECKPOINT_BYTES = 64 * 1024 * 1024;
/** First byte of a checkpoint: what it is. */
const Form = { JSON: 0x4a, BYTES: 0x42 } as const;

interface Waiting {
  readonly resolve: (data: Uint8Array | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** What handlers ask of the worker; answers come by number. */
export class Calls {
  readonly #records: RecordWriter;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(records: RecordWriter) {
    this.#records = records;
  }

  progress(task: HostTask, fraction: unknown, message: unknown): void {
    if (typeof fraction !== 'number' || !(fraction >= 0 && fraction <= 1)) {
      throw new RangeError(`progress: expected a number from 0 to 1, found ${String(fraction)}`);
    }
    if (task.isOver) return;
    const text = message === undefined ? [] : [String(message).slice(0, 1_000)];
    this.#records.call(CallKind.PROGRESS, 0, Buffer.from(JSON.stringify([fraction, ...text])));
  }

  async getCheckpoint(task: HostTask): Promise<unknown> {
    const data = await this.#ask(task, CallKind.GET_CHECKPOINT, new Uint8Array(0));
    if (data === undefined) return undefined;
    const value = data.subarray(1);
    // What a program in another language has put is bytes.
    if (data[0] === Form.JSON) return JSON.parse(Buffer.from(value).toString());
    return Uint8Array.from(data[0] === Form.BYTES ? value : data);
  }

  async putCheckpoint(task: HostTask, value: unknown): Promise<void> {
    const isBytes = value instanceof Uint8Array;
    const text = isBytes ? undefined : JSON.stringify(value);
    if (!isBytes && text === undefined) {
      throw new TypeError(`checkpoint: expected a value of JSON or bytes, found ${typeof value}`);
    }
    const body = isBytes ? value : Buffer.from(text!);
    if (body.byteLength >= MOST_CHECKPOINT_BYTES) {
      throw new RangeError(`checkpoint: ${body.byteLength} bytes; it has at most ${MOST_CHECKPOINT_BYTES - 1}`);
    }
    const form = Buffer.of(isBytes ? Form.BYTES : Form.JSON);
    await this.#ask(task, CallKind.PUT_CHECKPOINT, Buffer.concat([form, body]));
  }

  async emit(task: HostTask, name: unknown, data: unknown): Promise<void> {
    if (typeof name !== 'string' || name === '') throw new TypeError('emit: expected a name for the file');
    if (typeof data === 'string' || data instanceof Uint8Array) {
      const bytes = typeof data === 'string' ? Buffer.from(data) : data;
      if (bytes.byteLength > MOST_CHECKPOINT_BYTES) {
        throw new RangeError(
          `emit: ${bytes.byteLength} bytes at once; more than ${MOST_CHECKPOINT_BYTES} go through a file: emit(name, { file })`,
        );
      }
      await this.#ask(task, CallKind.EMIT, Buffer.concat([Buffer.from(`${JSON.stringify([name])}\0`), bytes]));
      return;
    }
    const file = typeof data === 'object' && data !== null ? Reflect.get(data, 'file') : undefined;
    if (typeof file !== 'string') throw new TypeError('emit: expected text, bytes or { file: path }');
    await this.#ask(task, CallKind.EMIT, Buffer.from(`${JSON.stringify([name, file])}\0`));
  }

  async putPiece(task: HostTask, bytes: Uint8Array): Promise<string> {
    return Buffer.from((await this.#ask(task, CallKind.PUT_PIECE, bytes))!).toString();
  }

  /** Of no task alone: it may be asked for before any runs. */
  async getPiece(hash: string): Promise<Uint8Array> {
    return (await this.#send(CallKind.GET_PIECE, Buffer.from(hash)))!;
  }

  async planned(task: HostTask, plan: { readonly hash: string; readonly parts: number }): Promise<void> {
    await this.#ask(task, CallKind.PLANNED, Buffer.from(JSON.stringify(plan)));
  }

  answered(number: number, answer: number, data: Uint8Array): void {
    const waiting = this.#waiting.get(number);
    if (waiting === undefined) return;
    this.#waiting.delete(number);
    if (answer === CallAnswer.REFUSED) waiting.reject(new Error(Buffer.from(data).toString()));
    else waiting.resolve(answer === CallAnswer.NOTHING ? undefined : data);
  }

  #ask(task: HostTask, kind: CallKind, data: Uint8Array): Promise<Uint8Array | undefined> {
    return task.isOver ? Promise.reject(new Error('the task is over')) : this.#send(kind, data);
  }

  #send(kind: CallKind, data: Uint8Array): Promise<Uint8Array | undefined> {
    const number = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | undefined>();
    this.#waiting.set(number, { resolve, reject });
    this.#records.call(kind, number, data);
    return promise;
  }
}
