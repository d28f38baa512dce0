import type { LogStream } from '../../../core/log-record.ts';
import { CALL_GOES_ON, type CallKind, END_BYTES, EndFlag, MOST_RECORD_BYTES, RecordType } from '../wire.ts';
import type { Shared } from './shared.ts';

const NOTHING = new Uint8Array(0);
const PIECE_BYTES = MOST_RECORD_BYTES - 64;
/** So much is worth a look of the voice before it comes by. */
const RING_BYTES = 256 * 1024;
const U32 = 2 ** 32 - 1;

/** How a task ended. */
export interface TaskEnd {
  readonly outcome: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly cutBytes: number;
  readonly hasResult: boolean;
}

/** Writes records into the ring of a host, and rings when somebody should read them. */
export class RecordWriter {
  readonly #shared: Shared;
  readonly #bell: () => void;
  readonly #end = Buffer.alloc(END_BYTES);
  readonly #head = Buffer.alloc(8);
  readonly #onFull = () => this.ring();

  constructor(shared: Shared, bell: () => void) {
    this.#shared = shared;
    this.#bell = bell;
  }

  ring(): void {
    if (this.#shared.ring()) this.#bell();
  }

  /** Waits until the worker has all of it, or will have it whatever happens to this process. */
  settle(withinMs: number): void {
    this.ring();
    this.#shared.settle(withinMs, this.#onFull);
  }

  end({ outcome, wallMs, cpuMs, cutBytes, hasResult }: TaskEnd): void {
    const isLong = wallMs * 1_000 > U32;
    const unit = isLong ? 1 : 1_000;
    const bytes = this.#end;
    bytes.writeUInt16LE(outcome, 0);
    bytes[2] = (isLong ? EndFlag.LONG : 0) | (hasResult ? EndFlag.HAS_RESULT : 0);
    bytes.writeUInt32LE(Math.min(U32, Math.max(1, Math.round(wallMs * unit))), 4);
    bytes.writeUInt32LE(Math.min(U32, Math.round(cpuMs * unit)), 8);
    bytes.writeUInt32LE(Math.min(U32, cutBytes), 12);
    this.#write(RecordType.END, bytes, NOTHING);
    this.#shared.end();
  }

  log(stream: LogStream, timeMs: number, data: Uint8Array): void {
    this.#head[0] = stream;
    this.#head.writeUInt32LE(Math.min(U32, Math.max(0, Math.round(timeMs))), 4);
    this.#write(RecordType.LOG, this.#head, data);
  }

  result(text: string): void {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      this.#write(RecordType.RESULT, NOTHING, bytes.subarray(at, at + PIECE_BYTES));
    }
  }

  call(kind: CallKind, number: number, data: Uint8Array): void {
    for (let at = 0; ; at += PIECE_BYTES) {
      const isLast = at + PIECE_BYTES >= data.byteLength;
      this.#head[0] = isLast ? kind : kind | CALL_GOES_ON;
      this.#head.writeUInt32LE(number, 4);
      this.#write(RecordType.CALL, this.#head, data.subarray(at, at + PIECE_BYTES));
      if (isLast) break;
    }
    this.ring();
  }

  ready(heapBytes: number): void {
    this.#head.writeDoubleLE(heapBytes, 0);
    this.#write(RecordType.READY, this.#head, NOTHING);
    this.ring();
  }

  unusable(text: string): void {
    this.#write(RecordType.UNUSABLE, NOTHING, Buffer.from(text).subarray(0, PIECE_BYTES));
    this.ring();
  }

  spent(): void {
    this.#write(RecordType.SPENT, NOTHING, NOTHING);
    this.ring();
  }

  exit(code: number): void {
    this.#head[0] = code & 255;
    this.#write(RecordType.EXIT, this.#head.subarray(0, 1), NOTHING);
    this.ring();
  }

  #write(type: number, head: Uint8Array, data: Uint8Array): void {
    this.#shared.write(type, head, data, this.#onFull);
    if (this.#shared.waitingBytes > RING_BYTES) this.ring();
  }
}
