import {
  encodeLogHeader,
  LOG_HEADER_BYTES,
  type LogRecord,
  LogStream,
  MAX_LOG_DATA_BYTES,
  parseLogRecords,
} from '../../core/log-record.ts';

const NEWLINE = 10;

/** Lines whose last byte came in the same record, or a note. */
interface Block {
  readonly record: LogRecord;
  readonly bytes: Buffer;
  /** Lines in it; none in a note. */
  readonly lines: number;
  /** Of the record among all that came. */
  readonly order: number;
}

/** A line that has not ended. */
interface OpenLine {
  readonly parts: readonly Buffer[];
  /** The newest of it. */
  readonly record: LogRecord;
  readonly order: number;
}

/**
 * The last lines of an attempt: takes its records in order and keeps no more than is needed. Of two streams each line stands where its
 * last byte came, in a record of its own where it must, since its parts may have come with the other stream's between them.
 */
export class TailLines {
  readonly #most: number;
  readonly #blocks: Block[] = [];
  #lines = 0;
  /** Lines that came in all. */
  #seen = 0;
  readonly #open = new Map<LogStream, OpenLine>();
  /** How many lines had come when the first of the stream had ended. */
  readonly #firstEnded = new Map<LogStream, number>();
  #order = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** What is kept holds no line that may have begun before the first record. */
  get isFull(): boolean {
    const isOpen = [...this.#open.keys()].some((stream) => !this.#firstEnded.has(stream));
    if (isOpen || this.#firstEnded.size === 0) return false;
    return [...this.#firstEnded.values()].every((first) => this.#seen - first >= this.#most);
  }

  /** @param chunk whole records; they are copied */
  add(chunk: Uint8Array): void {
    for (const record of parseLogRecords(chunk).records) {
      this.#order++;
      if (record.stream === LogStream.NOTE) this.#push(record, Buffer.from(record.data), 0);
      else if (record.length > 0) this.#data(record);
    }
  }

  /** The records of the last lines; of a line that has not ended what there is of it. */
  *records(): Generator<Uint8Array> {
    const open = [...this.#open.values()].map((line) => ({ ...line, bytes: Buffer.concat(line.parts), lines: 1 }));
    const all: Block[] = [...this.#blocks, ...open].sort((a, b) => a.order - b.order);
    let extra = this.#lines + open.length - this.#most;
    for (const { record, bytes, lines } of all) {
      if (extra > 0 && extra >= lines) {
        extra -= lines;
        continue;
      }
      yield* recordsOf(record, extra > 0 ? withoutLines(bytes, extra) : bytes);
      extra = Math.min(extra, 0);
    }
  }

  #data(record: LogRecord): void {
    const { stream, data } = record;
    const bytes = Buffer.from(data);
    const last = bytes.lastIndexOf(NEWLINE);
    const open = this.#open.get(stream);
    if (last >= 0) {
      const whole = Buffer.concat([...(open?.parts ?? []), bytes.subarray(0, last + 1)]);
      this.#open.delete(stream);
      if (!this.#firstEnded.has(stream)) this.#firstEnded.set(stream, this.#seen + 1);
      this.#push(record, whole, countLines(whole));
    }
    if (last + 1 === bytes.length) return;
    const rest = bytes.subarray(last + 1);
    const parts = last < 0 && open !== undefined ? [...open.parts, rest] : [rest];
    // Behind the lines that ended in the same record.
    this.#open.set(stream, { parts, record, order: this.#order + 0.5 });
  }

  #push(record: LogRecord, bytes: Buffer, lines: number): void {
    this.#blocks.push({ record, bytes, lines, order: this.#order });
    this.#lines += lines;
    this.#seen += lines;
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
