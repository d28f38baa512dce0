import type { Measured } from '../../core/end-chunk.ts';
import { LogFlag, LogStream } from '../../core/log-record.ts';
import type { SegmentWriter } from '../records/segment-writer.ts';

/** Waits for more of the same stream, so that many short lines are one record. */
const MOST_GATHERED_BYTES = 32 * 1024;

/** An attempt that writes. */
export interface Writing {
  readonly jobId: number;
  readonly fence: number;
  readonly position: number;
  readonly attempt: number;
}

/** What one attempt of a handler leaves, as it comes from its host: its log goes into segments, its result is gathered. */
export class LeftBehind {
  readonly #writer: SegmentWriter;
  readonly #of: Writing;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #stream: LogStream = LogStream.STDOUT;
  #timeMs = 0;
  #from: { segment: number; offset: number } | undefined;
  #to = { segment: 0, offset: 0 };
  #outBytes = 0;
  #errBytes = 0;
  #missingBytes = 0;
  #result: Buffer[] = [];

  constructor(writer: SegmentWriter, of: Writing) {
    this.#writer = writer;
    this.#of = of;
  }

  log(stream: LogStream, timeMs: number, data: Uint8Array): void {
    if (stream !== this.#stream || this.#gatheredBytes + data.byteLength > MOST_GATHERED_BYTES) this.flush();
    if (this.#gathered.length === 0) this.#timeMs = timeMs;
    this.#stream = stream;
    this.#gathered.push(Buffer.from(data));
    this.#gatheredBytes += data.byteLength;
    if (stream === LogStream.NOTE) this.flush();
  }

  /** Standard error, in the words of the worker. */
  say(text: string): void {
    this.log(LogStream.STDERR, this.#timeMs, Buffer.from(text.endsWith('\n') ? text : `${text}\n`));
  }

  result(piece: Uint8Array): void {
    this.#result.push(Buffer.from(piece));
  }

  /** JSON text of what it returned. */
  get resultText(): Buffer | undefined {
    return this.#result.length === 0 ? undefined : Buffer.concat(this.#result);
  }

  /** Everything that came is with the writer. */
  flush(): void {
    if (this.#gathered.length === 0) return;
    const data = this.#gathered.length === 1 ? this.#gathered[0]! : Buffer.concat(this.#gathered);
    const { jobId, ...of } = this.#of;
    const flags = this.#stream === LogStream.NOTE ? LogFlag.CUT : 0;
    const place = this.#writer.append(jobId, { ...of, stream: this.#stream, flags, timeMs: this.#timeMs }, data);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    if (place === undefined) {
      if (this.#stream !== LogStream.NOTE) this.#missingBytes += data.length;
      return;
    }
    this.#from ??= { segment: place.segment, offset: place.offset };
    this.#to = { segment: place.segment, offset: place.offset + place.bytes };
    if (this.#stream === LogStream.STDOUT) this.#outBytes += data.length;
    if (this.#stream === LogStream.STDERR) this.#errBytes += data.length;
  }

  /** Columns of its end. */
  get columns(): Partial<Measured> {
    this.flush();
    const missing = this.#missingBytes === 0 ? {} : { missingBytes: this.#missingBytes };
    if (this.#from === undefined) return missing;
    return {
      logSegment: this.#from.segment,
      logOffset: this.#from.offset,
      logEndSegment: this.#to.segment,
      logEndOffset: this.#to.offset,
      outBytes: this.#outBytes,
      errBytes: this.#errBytes,
      ...missing,
    };
  }
}
