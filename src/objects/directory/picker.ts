import {
  encodeLogHeader,
  encodeLogNote,
  LOG_HEADER_BYTES,
  LogFlag,
  type LogRecord,
  LogStream,
  parseLogNote,
} from '../../core/log-record.ts';
import type { LogRange } from '../log-reader.ts';

export type Wanted = 'out' | 'err' | 'both';

/** Takes the records of a stream out of all that were read of one attempt. */
export class Picker {
  readonly #fence: number;
  readonly #wanted: Wanted;
  /** Bytes of each stream: what was kept, 0 where that is not known, and what was read. */
  #kept: readonly [number, number] = [0, 0];
  #mayGrow = false;
  readonly #read: [number, number] = [0, 0];
  /** Of the newest record: a note without a place would belong to no task. */
  #place = { position: 0, attempt: 0, timeMs: 0 };

  constructor(range: LogRange, wanted: Wanted) {
    this.#fence = range.fence;
    this.#wanted = wanted;
    this.expect(range);
  }

  /** How many bytes were kept. */
  expect({ outBytes = 0, errBytes = 0, mayGrow = false }: Pick<LogRange, 'outBytes' | 'errBytes' | 'mayGrow'>): void {
    this.#kept = [outBytes, errBytes];
    this.#mayGrow = mayGrow;
  }

  /** At most one chunk. */
  *from(bytes: Uint8Array, records: readonly LogRecord[]): Generator<Uint8Array> {
    const last = records.at(-1);
    // Copied, since the record itself keeps its whole chunk in memory.
    if (last !== undefined) this.#place = { position: last.position, attempt: last.attempt, timeMs: last.timeMs };
    const pieces: Uint8Array[] = [];
    let from = 0;
    let to = 0;
    for (const record of records) {
      this.#count(record);
      if (!this.#wants(record)) continue;
      if (record.offset !== to) {
        if (to > from) pieces.push(bytes.subarray(from, to));
        from = record.offset;
      }
      to = record.offset + LOG_HEADER_BYTES + record.length;
    }
    if (to > from) pieces.push(bytes.subarray(from, to));
    const [only] = pieces;
    if (only !== undefined) yield pieces.length === 1 ? only : Buffer.concat(pieces);
  }

  /**
   * What is to be said at the end: why it is one before its time, and how many bytes are missing.
   * @param isEnd nothing more will come
   */
  *finish(why: string | undefined, isEnd: boolean): Generator<Uint8Array> {
    const missing = (at: 0 | 1) => (isEnd ? Math.max(0, this.#kept[at] - this.#read[at]) : 0);
    const out = this.#wanted === 'err' ? 0 : missing(0);
    const err = this.#wanted === 'out' ? 0 : missing(1);
    const count = out + err > 0 ? [`${out + err} bytes are missing`] : [];
    const all =
      this.#mayGrow && count.length > 0
        ? `${out + err} bytes are still being shipped by the worker`
        : [...count, ...(why === undefined ? [] : [why])].join('; ');
    if (all !== '') yield this.lost(all, out, err);
  }

  /** A note that something is missing; 0 bytes where their number is not known. */
  lost(why: string, stdoutBytes = 0, stderrBytes = 0): Uint8Array {
    const data = encodeLogNote({ stdoutBytes, stderrBytes, text: `log incomplete: ${why}` });
    const record = new Uint8Array(LOG_HEADER_BYTES + data.byteLength);
    encodeLogHeader(
      { stream: LogStream.NOTE, flags: LogFlag.LOST, length: data.byteLength, fence: this.#fence, ...this.#place },
      record,
    );
    record.set(data, LOG_HEADER_BYTES);
    return record;
  }

  #count({ stream, length }: LogRecord): void {
    if (stream === LogStream.NOTE) return;
    const at = stream === LogStream.STDOUT ? 0 : 1;
    this.#read[at] += length;
  }

  /** A note is for whoever reads a stream that it is about, or about none. */
  #wants({ stream, data }: LogRecord): boolean {
    if (this.#wanted === 'both') return true;
    const own = this.#wanted === 'out' ? LogStream.STDOUT : LogStream.STDERR;
    if (stream !== LogStream.NOTE) return stream === own;
    const note = parseLogNote(data);
    if (note === null || note.stdoutBytes + note.stderrBytes === 0) return true;
    return (this.#wanted === 'out' ? note.stdoutBytes : note.stderrBytes) > 0;
  }
}
