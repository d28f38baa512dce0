import {
  encodeLogHeader,
  LOG_HEADER_BYTES,
  type LogRecord,
  LogStream,
  MAX_LOG_DATA_BYTES,
  parseLogRecords,
} from '../../core/log-record.ts';

const NEWLINE = 10;

/** Lines that have ended, or a note; in the order in which they ended. */
interface Block {
  readonly record: LogRecord;
  readonly bytes: Buffer;
  /** Lines in it; none in a note. */
  readonly lines: number;
}

/** A line that has not ended. */
interface OpenLine {
  readonly parts: Buffer[];
  /** The newest of it. */
  record: LogRecord;
}

/**
 * The last lines of an attempt: takes its records in order and keeps no more than is needed. Of two streams each line comes where it
 * ended, in a record of its own where it must, since its parts may have come with the other stream's between them.
 */
export class TailLines {
  readonly #most: number;
  readonly #blocks: Block[] = [];
  #lines = 0;
  /** Lines that came in all. */
  #seen = 0;
  readonly #open = new Map<LogStream, OpenLine>();

  constructor(most: number) {
    this.#most = most;
  }

  /** There are more lines than are kept: those that are kept begin where lines begin. */
  get isFull(): boolean {
    return this.#seen > this.#most;
  }

  /** @param chunk whole records; they are copied */
  add(chunk: Uint8Array): void {
    for (const record of parseLogRecords(chunk).records) {
      if (record.stream === LogStream.NOTE) this.#push({ record, bytes: Buffer.from(record.data), lines: 0 });
      else this.#data(record);
    }
  }

  /** The records of the last lines; of a line that has not ended what there is of it. */
  *records(): Generator<Uint8Array> {
    const open = [...this.#open.values()];
    const shown = open.slice(Math.max(0, open.length - this.#most));
    let extra = this.#lines - (this.#most - shown.length);
    for (const { record, bytes, lines } of this.#blocks) {
      if (extra > 0 && extra >= lines) {
        extra -= lines;
        continue;
      }
      yield* recordsOf(record, extra > 0 ? withoutLines(bytes, extra) : bytes);
      extra = Math.min(extra, 0);
    }
    for (const { record, parts } of shown) yield* recordsOf(record, Buffer.concat(parts));
  }

  #data(record: LogRecord): void {
    const { stream, data } = record;
    const bytes = Buffer.from(data);
    const last = bytes.lastIndexOf(NEWLINE);
    const open = this.#open.get(stream);
    if (last >= 0) {
      const whole = Buffer.concat([...(open?.parts ?? []), bytes.subarray(0, last + 1)]);
      this.#open.delete(stream);
      this.#push({ record, bytes: whole, lines: countLines(whole) });
    }
    if (last + 1 === bytes.length) return;
    const rest = bytes.subarray(last + 1);
    const parts = last < 0 && open !== undefined ? [...open.parts, rest] : [rest];
    // The newest last.
    this.#open.delete(stream);
    this.#open.set(stream, { parts, record });
  }

  #push(block: Block): void {
    this.#blocks.push(block);
    this.#lines += block.lines;
    this.#seen += block.lines;
    let drop = 0;
    while (drop < this.#blocks.length && this.#lines - this.#blocks[drop]!.lines >= this.#most) {
      this.#lines -= this.#blocks[drop]!.lines;
      drop++;
    }
    if (drop > 0) this.#blocks.splice(0, drop);
  }
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
}

function withoutLines(bytes: Buffer, count: number): Buffer {
  let from = 0;
  for (let line = 0; line < count; line++) from = bytes.indexOf(NEWLINE, from) + 1;
  return bytes.subarray(from);
}

function* recordsOf({ flags, stream, fence, position, attempt, timeMs }: LogRecord, bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length; from += MAX_LOG_DATA_BYTES) {
    const data = bytes.subarray(from, from + MAX_LOG_DATA_BYTES);
    const record = Buffer.alloc(LOG_HEADER_BYTES + data.length);
    encodeLogHeader({ stream, flags, fence, position, attempt, timeMs, length: data.length }, record);
    data.copy(record, LOG_HEADER_BYTES);
    yield record;
  }
}
