import { constants } from 'node:fs';
import { access, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type LogRecord, parseLogRecords, segmentFileName } from '../../core/log-record.ts';
import type { LogRange } from '../log-reader.ts';

/** Bytes of a segment in memory at a time; more than one whole record. */
const CHUNK_BYTES = 256 * 1024;
/** Segment numbers: `life * SEQUENCES + sequence`. */
export const SEQUENCES = 65_536;
/** About a millisecond of work. */
const HITS_PER_TURN = 100;
const MISSING = 'the file is missing';
/** Attempts of so many workers are read in turns without reading anything twice. */
const MOST_CHUNKS = 32;
const NOTHING = new Uint8Array(0);

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

/** The newest chunk of each of the segments that were read last. Short attempts lie close together: one read serves thousands of them. */
export class ChunkCache {
  readonly #chunks = new Map<string, { readonly offset: number; readonly bytes: Uint8Array }>();
  /** Steps that needed no reading. */
  hits = 0;

  /** What there is from this byte on: nothing, perhaps. */
  from(path: string, offset: number): Uint8Array {
    const chunk = this.#chunks.get(path);
    return chunk === undefined || offset < chunk.offset ? NOTHING : chunk.bytes.subarray(offset - chunk.offset);
  }

  /** Whether what is read there goes on where something was read. */
  goesOn(path: string, offset: number): boolean {
    const chunk = this.#chunks.get(path);
    return chunk !== undefined && offset >= chunk.offset && offset < chunk.offset + chunk.bytes.length + CHUNK_BYTES;
  }

  set(path: string, offset: number, bytes: Uint8Array): void {
    this.#chunks.delete(path);
    this.#chunks.set(path, { offset, bytes });
    if (this.#chunks.size <= MOST_CHUNKS) return;
    const [oldest] = this.#chunks.keys();
    this.#chunks.delete(oldest!);
  }
}

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
  readonly #cache: ChunkCache;
  #segment: number;
  #offset: number;

  /** @param logs the folder with one folder a job */
  constructor(logs: string, range: LogRange, cache: ChunkCache) {
    this.#cache = cache;
    this.#folder = join(logs, String(range.jobId));
    this.#range = range;
    this.#segment = range.fromSegment;
    this.#offset = range.fromOffset;
  }

  /** @param end where the attempt's records end; undefined while that is not known */
  async step(end: LogPlace | undefined): Promise<Step> {
    if (end !== undefined && this.#isAt(end)) return { kind: 'end' };
    const isLast = end?.segment === this.#segment;
    const cached = isLast ? this.#readCached(end.offset) : undefined;
    if (cached !== undefined) {
      // Without any reading, thousands of attempts would be walked through before anything else gets its turn.
      this.#cache.hits += 1;
      if (this.#cache.hits % HITS_PER_TURN === 0) await setImmediate();
      return cached;
    }
    // Asked before reading: once the next segment is there, nothing is added to this one.
    const hasNext = !isLast && (await this.#exists(this.#segment + 1));
    const read = await this.#read(isLast ? end.offset - this.#offset : CHUNK_BYTES);
    if (typeof read === 'string') {
      const isYetToCome = read === MISSING && end === undefined && !hasNext;
      return isYetToCome ? { kind: 'quiet' } : this.#broken(`${this.#name(this.#segment)}: ${read}`, hasNext);
    }
    if (read.byteLength === 0 && hasNext) {
      this.#goOn();
      return { kind: 'records', bytes: read, records: [] };
    }
    return this.#parse(isLast ? read.subarray(0, end.offset - this.#offset) : read, hasNext, end);
  }

  /**
   * Undefined when the cache has nothing to give. Whole records never change, but a record that was being written when
   * they were read may have been written anew since: only what parses is taken from there.
   */
  #readCached(endOffset: number): Step | undefined {
    const part = this.#cache.from(this.#path(), this.#offset).subarray(0, endOffset - this.#offset);
    if (part.byteLength === 0) return undefined;
    const { records, consumed } = parseLogRecords(part, this.#range.fence);
    if (consumed === 0) return undefined;
    this.#offset += consumed;
    return { kind: 'records', bytes: part, records };
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

  /** The newest segment that is there without a gap after this one. */
  async newest(): Promise<number> {
    let newest = this.#segment;
    while (await this.#exists(newest + 1)) newest++;
    return newest;
  }

  async #exists(segment: number): Promise<boolean> {
    return access(join(this.#folder, this.#name(segment))).then(
      () => true,
      () => false,
    );
  }

  #path(): string {
    return join(this.#folder, this.#name(this.#segment));
  }

  /**
   * What is there of the next chunk, or why it cannot be read.
   * @param wanted bytes of this attempt; more are read only where others were read that lie close by
   */
  async #read(wanted: number): Promise<Uint8Array | string> {
    const path = this.#path();
    const offset = this.#offset;
    const size = this.#cache.goesOn(path, offset) ? CHUNK_BYTES : Math.min(wanted, CHUNK_BYTES);
    try {
      // Tasks run as the same user and may put anything there: no links, and no waiting for the other end of a pipe.
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const target = Buffer.allocUnsafeSlow(size);
        const { bytesRead } = await file.read(target, 0, size, offset);
        const bytes = target.subarray(0, bytesRead);
        this.#cache.set(path, offset, bytes);
        return bytes;
      } finally {
        await file.close();
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code === 'ENOENT' ? MISSING : (code ?? message);
    }
  }
}
