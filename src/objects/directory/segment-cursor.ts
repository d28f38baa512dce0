import { constants } from 'node:fs';
import { access, open } from 'node:fs/promises';
import { join } from 'node:path';
import { LOG_HEADER_BYTES, type LogRecord, parseLogRecords, segmentFileName } from '../../core/log-record.ts';
import type { LogRange } from '../log-reader.ts';

/** Bytes of a segment in memory at a time; more than one whole record. */
const CHUNK_BYTES = 256 * 1024;
/** Segment numbers: `life * SEQUENCES + sequence`. */
const SEQUENCES = 65_536;
const MISSING = 'the file is missing';

export interface LogPlace {
  readonly segment: number;
  readonly offset: number;
}

export type Step =
  /** Records of the attempt, possibly none, as views into `bytes`. */
  | { readonly kind: 'records'; readonly bytes: Uint8Array; readonly records: readonly LogRecord[] }
  /** Nothing more is there yet. */
  | { readonly kind: 'quiet' }
  /** The end was reached. */
  | { readonly kind: 'end' }
  /** What should be there is not; the next step goes on in the next segment, unless this was the last. */
  | { readonly kind: 'broken'; readonly why: string; readonly isLast: boolean };

/** Whether this place says that the attempt has no log. */
export function hasLog(segment: number): boolean {
  return segment % SEQUENCES !== 0;
}

/**
 * Walks forward through the segments that one worker session wrote for one job. Nothing stays open between steps, so a
 * walk may be given up at any time.
 */
export class SegmentCursor {
  readonly #folder: string;
  readonly #range: LogRange;
  #segment: number;
  #offset: number;

  /** @param logs the folder with one folder a job */
  constructor(logs: string, range: LogRange) {
    this.#folder = join(logs, String(range.jobId));
    this.#range = range;
    this.#segment = range.fromSegment;
    this.#offset = range.fromOffset;
  }

  /** @param end where the attempt's records end; undefined while that is not known */
  async step(end: LogPlace | undefined): Promise<Step> {
    if (end !== undefined && this.#isAt(end)) return { kind: 'end' };
    const isLast = end?.segment === this.#segment;
    const wanted = isLast ? Math.min(CHUNK_BYTES, end.offset - this.#offset) : CHUNK_BYTES;
    // Asked before reading: once the next segment is there, nothing is added to this one.
    const hasNext = !isLast && (await this.#exists(this.#segment + 1));
    const read = await this.#read(wanted);
    if (typeof read === 'string') {
      const isYetToCome = read === MISSING && end === undefined && !hasNext;
      return isYetToCome ? { kind: 'quiet' } : this.#broken(`${this.#name(this.#segment)}: ${read}`, hasNext);
    }
    if (read.byteLength === 0 && hasNext) {
      this.#goOn();
      return { kind: 'records', bytes: read, records: [] };
    }
    return this.#parse(read, hasNext, end);
  }

  #parse(bytes: Uint8Array, hasNext: boolean, end: LogPlace | undefined): Step {
    const { records, consumed, rest } = parseLogRecords(bytes, this.#range.fence);
    if (consumed > 0) {
      this.#offset += consumed;
      return { kind: 'records', bytes, records };
    }
    // Bytes that are no record yet may be one when its writer has come to the end of it.
    if (end === undefined && !hasNext) return { kind: 'quiet' };
    const at = `${this.#name(this.#segment)}, byte ${this.#offset}`;
    if (rest === 'corrupt') return this.#broken(`${at}: no log record`, hasNext);
    const early = end?.segment === this.#segment ? `, ${end.offset - this.#offset} bytes early` : '';
    return this.#broken(`${at}: the ${rest === 'none' ? 'file' : 'last whole record'} ends${early}`, hasNext);
  }

  /** A segment that its writer could not go on with is followed by another: what is there is worth reading. */
  #broken(why: string, hasNext: boolean): Step {
    if (hasNext) this.#goOn();
    return { kind: 'broken', why, isLast: !hasNext };
  }

  #goOn(): void {
    this.#segment += 1;
    this.#offset = 0;
  }

  #isAt(end: LogPlace): boolean {
    return this.#segment > end.segment || (this.#segment === end.segment && this.#offset >= end.offset);
  }

  #name(segment: number): string {
    const tag = `${this.#range.sessionId}-${Math.floor(segment / SEQUENCES)}`;
    return segmentFileName(tag, segment % SEQUENCES);
  }

  async #exists(segment: number): Promise<boolean> {
    return access(join(this.#folder, this.#name(segment))).then(
      () => true,
      () => false,
    );
  }

  /** What is there of the next `length` bytes, or why it cannot be read. */
  async #read(length: number): Promise<Uint8Array | string> {
    const path = join(this.#folder, this.#name(this.#segment));
    try {
      // Tasks run as the same user and may put anything there: no links, and no waiting for the other end of a pipe.
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const target = Buffer.allocUnsafeSlow(Math.max(length, LOG_HEADER_BYTES));
        const { bytesRead } = await file.read(target, 0, length, this.#offset);
        return target.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code === 'ENOENT' ? MISSING : (code ?? message);
    }
  }
}
