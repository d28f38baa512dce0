import { LogStream } from '../../core/log-record.ts';
import { Backoff } from '../backoff.ts';
import { RESULT_LIFE, SegmentWriter, type SegmentWriterOptions } from './segment-writer.ts';

/** A file that a task has left in the output of its job. */
export interface OutputFile {
  /** Relative to the output directory or prefix, with slashes. */
  readonly name: string;
  readonly size: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

/** What an attempt leaves besides its log. */
export interface Left {
  /** Text of one JSON value, in UTF-8 and on one line. */
  readonly value?: Uint8Array | undefined;
  readonly files?: readonly OutputFile[] | undefined;
  /** Why it says that it failed. */
  readonly message?: string | undefined;
}

/** Columns of an end. */
export interface ResultPlace {
  readonly resultSegment: number;
  readonly resultOffset: number;
  readonly resultBytes: number;
}

/** What is written down for an attempt: JSON on one line (see objects/directory/results.ts). */
export interface ResultRow {
  readonly fence: number;
  readonly position: number;
  readonly attempt: number;
  readonly json: Uint8Array;
}

const VALUE = Buffer.from('{"value":');
const END = Buffer.from('}');

/** The JSON of what an attempt leaves; undefined when that is nothing. */
export function resultJson({ value, files = [], message }: Left): Uint8Array | undefined {
  const rest = { ...(files.length > 0 ? { files } : {}), ...(message === undefined ? {} : { message }) };
  const text = JSON.stringify(rest);
  if (value === undefined) return text === '{}' ? undefined : Buffer.from(text);
  return Buffer.concat([VALUE, value, text === '{}' ? END : Buffer.from(`,${text.slice(1)}`)]);
}

/** Writes the results of attempts of a session, so that they are on disk before their ends are said. */
export class ResultWriter {
  readonly #writer: SegmentWriter;
  readonly #stop = new AbortController();

  constructor(options: Omit<SegmentWriterOptions, 'life' | 'isDurable'>) {
    this.#writer = new SegmentWriter({ ...options, life: RESULT_LIFE });
  }

  /** Resolves when they are on disk, in the same order; a full disk is waited for. Rejects when the writer closes before that. */
  async write(jobId: number, rows: readonly ResultRow[]): Promise<ResultPlace[]> {
    const backoff = new Backoff({ firstMs: 50, mostMs: 2_000 });
    const places: ResultPlace[] = [];
    for (const { json, ...of } of rows) {
      for (;;) {
        const header = { ...of, stream: LogStream.RESULT, flags: 0, timeMs: 0 };
        const place = this.#writer.append(jobId, header, json);
        if (place !== undefined) {
          places.push({ resultSegment: place.segment, resultOffset: place.offset, resultBytes: place.bytes });
          break;
        }
        this.#stop.signal.throwIfAborted();
        await backoff.pause(this.#stop.signal);
      }
    }
    await this.#writer.sync(jobId);
    return places;
  }

  forget(jobId: number): Promise<void> {
    return this.#writer.forget(jobId);
  }

  close(): Promise<void> {
    this.#stop.abort(new Error('the session is over'));
    return this.#writer.close();
  }
}
