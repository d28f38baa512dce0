import type { LogStream } from '../../core/log-record.ts';
import { CALL_GOES_ON, type CallKind, EndFlag, RECORD_HEADER_BYTES, RecordType } from './wire.ts';

/** The end of the running task, as its host has measured it. */
export interface SaidEnd {
  readonly outcome: number;
  readonly wallUs: number;
  readonly cpuUs: number;
  readonly cutBytes: number;
  readonly hasResult: boolean;
}

/** What becomes of the records of a host. Bytes are views that hold only during the call. */
export interface RecordSink {
  end(end: SaidEnd): void;
  log(stream: LogStream, timeMs: number, data: Uint8Array): void;
  result(piece: Uint8Array): void;
  call(kind: CallKind, number: number, data: Uint8Array): void;
  ready(heapBytes: number): void;
  unusable(text: string): void;
  spent(): void;
  exit(code: number): void;
}

const MOST_CALL_BYTES = 65 * 1024 * 1024;

/** Reads the records of one host out of pieces that are cut anywhere. */
export class RecordStream {
  readonly #sink: RecordSink;
  #rest: Buffer | undefined;
  /** Pieces of the call that goes on. */
  #call: Buffer[] = [];
  #callBytes = 0;

  constructor(sink: RecordSink) {
    this.#sink = sink;
  }

  push(piece: Buffer): void {
    const bytes = this.#rest === undefined ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    while (bytes.length - at >= RECORD_HEADER_BYTES) {
      const length = bytes.readUIntLE(at + 1, 3);
      const end = at + RECORD_HEADER_BYTES + length;
      if (end > bytes.length) break;
      this.#take(bytes, bytes[at]!, at + RECORD_HEADER_BYTES, end);
      at = end;
    }
    // A copy, so that a few bytes do not keep a whole piece.
    this.#rest = at === bytes.length ? undefined : Buffer.from(bytes.subarray(at));
  }

  #take(bytes: Buffer, type: number, at: number, end: number): void {
    const sink = this.#sink;
    switch (type) {
      case RecordType.END:
        sink.end(readEnd(bytes, at));
        break;
      case RecordType.LOG:
        sink.log(bytes[at]! as LogStream, bytes.readUInt32LE(at + 4), bytes.subarray(at + 8, end));
        break;
      case RecordType.RESULT:
        sink.result(bytes.subarray(at, end));
        break;
      case RecordType.CALL:
        this.#takeCall(bytes[at]!, bytes.readUInt32LE(at + 4), bytes.subarray(at + 8, end));
        break;
      case RecordType.READY:
        sink.ready(bytes.readDoubleLE(at));
        break;
      case RecordType.UNUSABLE:
        sink.unusable(bytes.toString('utf8', at, end));
        break;
      case RecordType.SPENT:
        sink.spent();
        break;
      case RecordType.EXIT:
        sink.exit(bytes[at]!);
        break;
      default:
        throw new RangeError(`a record of type ${type}`);
    }
  }

  #takeCall(kind: number, number: number, data: Buffer): void {
    this.#callBytes += data.length;
    if (this.#callBytes > MOST_CALL_BYTES) throw new RangeError(`a call of ${this.#callBytes} bytes`);
    if ((kind & CALL_GOES_ON) !== 0) {
      this.#call.push(Buffer.from(data));
      return;
    }
    const all = this.#call.length === 0 ? data : Buffer.concat([...this.#call, data]);
    this.#call = [];
    this.#callBytes = 0;
    this.#sink.call(kind as CallKind, number, all);
  }
}

function readEnd(bytes: Buffer, at: number): SaidEnd {
  const flags = bytes[at + 2]!;
  const unit = (flags & EndFlag.LONG) === 0 ? 1 : 1_000;
  return {
    outcome: bytes.readUInt16LE(at),
    wallUs: bytes.readUInt32LE(at + 4) * unit,
    cpuUs: bytes.readUInt32LE(at + 8) * unit,
    cutBytes: bytes.readUInt32LE(at + 12),
    hasResult: (flags & EndFlag.HAS_RESULT) !== 0,
  };
}
