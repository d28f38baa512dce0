import {
  encodeLogHeader,
  encodeLogNote,
  LOG_HEADER_BYTES,
  LogFlag,
  LogStream,
  MAX_LOG_DATA_BYTES,
} from '../../../core/log-record.ts';
import type { RunCommand } from '../commands.ts';
import type { LogPosition } from '../types.ts';
import type { Segments } from './segments.ts';
import { type OutputStream, TailRing } from './tail-ring.ts';

export interface AttemptLogEnd {
  readonly logStart: LogPosition;
  readonly logEnd: LogPosition;
  readonly keptStdoutBytes: number;
  readonly keptStderrBytes: number;
  readonly droppedBytes: number;
  readonly lostBytes: number;
}

const NO_LOG: LogPosition = { segment: 0, offset: 0 };

/** The output of one attempt: the first half of its cap is written as it comes, the last half at the end. */
export class AttemptLog {
  readonly start: LogPosition;
  readonly #segments: Segments | null;
  readonly #run: RunCommand;
  readonly #sinceStartMs: () => number;
  readonly #kept = { [LogStream.STDOUT]: 0, [LogStream.STDERR]: 0 };
  /** Lost and not yet said so in the log. */
  readonly #unnoted = { [LogStream.STDOUT]: 0, [LogStream.STDERR]: 0 };
  #lost = 0;
  #headLeft: number;
  #ring: TailRing | null = null;

  /** @param segments null: the output is discarded */
  constructor(segments: Segments | null, run: RunCommand, sinceStartMs: () => number) {
    this.#segments = segments;
    this.#run = run;
    this.#sinceStartMs = sinceStartMs;
    this.#headLeft = run.logCapBytes - Math.floor(run.logCapBytes / 2);
    this.start = segments?.enter(run.jobId) ?? NO_LOG;
  }

  put(stream: OutputStream, bytes: Buffer): void {
    if (this.#segments === null) return;
    const timeMs = this.#sinceStartMs();
    const head = Math.min(bytes.length, this.#headLeft);
    this.#headLeft -= head;
    for (let at = 0; at < head; at += MAX_LOG_DATA_BYTES) {
      this.#write(stream, timeMs, bytes.subarray(at, Math.min(head, at + MAX_LOG_DATA_BYTES)));
    }
    if (head === bytes.length) return;
    this.#ring ??= new TailRing(Math.floor(this.#run.logCapBytes / 2));
    this.#ring.put(stream, timeMs, bytes.subarray(head));
  }

  /** A line for people, about something that is not the task's own output. */
  note(flags: number, text: string): void {
    if (this.#segments === null) return;
    this.#append(LogStream.NOTE, flags, this.#sinceStartMs(), encodeLogNote({ stdoutBytes: 0, stderrBytes: 0, text }));
  }

  /** Writes the tail; nothing may be put afterwards. */
  finish(): AttemptLogEnd {
    const dropped = this.#ring?.dropped ?? { [LogStream.STDOUT]: 0, [LogStream.STDERR]: 0 };
    const droppedBytes = dropped[LogStream.STDOUT] + dropped[LogStream.STDERR];
    if (droppedBytes > 0) this.#note(LogFlag.CUT, dropped, 'cut here: the log is limited');
    for (const entry of this.#ring?.take() ?? []) this.#write(entry.stream, entry.timeMs, entry.data);
    this.#noteLost();
    return {
      logStart: this.start,
      logEnd: this.#segments?.leave(this.#run.jobId) ?? NO_LOG,
      keptStdoutBytes: this.#kept[LogStream.STDOUT],
      keptStderrBytes: this.#kept[LogStream.STDERR],
      droppedBytes,
      lostBytes: this.#lost,
    };
  }

  #write(stream: OutputStream, timeMs: number, data: Buffer): void {
    this.#noteLost();
    if (this.#append(stream, 0, timeMs, data)) {
      this.#kept[stream] += data.length;
    } else {
      this.#lost += data.length;
      this.#unnoted[stream] += data.length;
    }
  }

  /** The place where bytes are missing is marked as soon as anything can be written again. */
  #noteLost(): void {
    if (this.#unnoted[LogStream.STDOUT] + this.#unnoted[LogStream.STDERR] === 0) return;
    if (!this.#note(LogFlag.LOST, this.#unnoted, 'lost here: the log could not be written')) return;
    this.#unnoted[LogStream.STDOUT] = 0;
    this.#unnoted[LogStream.STDERR] = 0;
  }

  #note(flags: number, bytes: Readonly<Record<OutputStream, number>>, what: string): boolean {
    const stdoutBytes = bytes[LogStream.STDOUT];
    const stderrBytes = bytes[LogStream.STDERR];
    const text = `... ${stdoutBytes + stderrBytes} bytes ${what} ...\n`;
    return this.#append(LogStream.NOTE, flags, this.#sinceStartMs(), encodeLogNote({ stdoutBytes, stderrBytes, text }));
  }

  #append(stream: LogStream, flags: number, timeMs: number, data: Uint8Array): boolean {
    const { fence, position, attempt, jobId } = this.#run;
    const header = new Uint8Array(LOG_HEADER_BYTES);
    encodeLogHeader({ stream, flags, length: data.byteLength, fence, position, attempt, timeMs }, header);
    return this.#segments!.append(jobId, header, data);
  }
}
