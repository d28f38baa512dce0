import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  encodeLogHeader,
  encodeLogNote,
  LOG_HEADER_BYTES,
  LogFlag,
  type LogRecord,
  LogStream,
  parseLogNote,
} from '../../core/log-record.ts';
import type { LogRange, LogReader } from '../log-reader.ts';
import { toStoreError } from './disk.ts';
import { diffLogs, searchLogs } from './log-search.ts';
import { SearchPool, type SearchPoolOptions } from './search-pool.ts';
import { type ChunkCache, hasLog, type LogPlace, SegmentCursor } from './segment-cursor.ts';

type Wanted = 'out' | 'err' | 'both';

export interface SegmentsOptions {
  /** How often a log that is followed is looked at: the first while after something came, and at most. Default 50 and 250. */
  readonly pollMs?: { readonly first: number; readonly most: number };
  readonly search?: SearchPoolOptions;
}

/**
 * Reads the logs that the workers of this machine write.
 *
 * What is missing is told in a NOTE record with LogFlag.LOST: a segment that is gone or cut short, bytes that are no
 * records, an end that was never reported.
 * @param logs the folder with one folder a job
 */
export function openSegments(logs: string, options: SegmentsOptions = {}): LogReader {
  const { pollMs = { first: 50, most: 250 } } = options;
  const pool = new SearchPool(options.search);
  const folderOf = (jobId: number) => join(logs, String(jobId));
  const cache: ChunkCache = { path: '', offset: 0, bytes: new Uint8Array(0), hits: 0 };
  const walk = (range: LogRange) => new SegmentCursor(logs, range, cache);
  return {
    read: (range, stream) => readRange(walk(range), range, stream),
    follow: (range, stream, ended, signal) => followRange(walk(range), range, stream, ended, signal, pollMs),
    search: (jobId, which, search, signal) => searchLogs(pool, folderOf(jobId), which, search, signal),
    diff: (jobId, which, query, signal) => diffLogs(pool, folderOf(jobId), jobId, which, query, signal),
    remove: async (jobId) => {
      if (!Number.isSafeInteger(jobId) || jobId <= 0) return;
      try {
        await rm(folderOf(jobId), { recursive: true, force: true });
      } catch (error) {
        throw toStoreError(error, logs);
      }
    },
  };
}

async function* readRange(cursor: SegmentCursor, range: LogRange, stream: Wanted): AsyncGenerator<Uint8Array> {
  if (!hasLog(range.fromSegment)) return;
  const pick = new Picker(range.fence, stream);
  for (;;) {
    const step = await cursor.step(endOf(range));
    if (step.kind === 'records') yield* pick.from(step.bytes, step.records);
    else if (step.kind === 'broken') {
      yield pick.lost(step.why);
      if (step.isLast) return;
    } else return;
  }
}

async function* followRange(
  cursor: SegmentCursor,
  range: LogRange,
  stream: Wanted,
  ended: () => { toSegment: number; toOffset: number } | 'lost' | undefined,
  signal: AbortSignal,
  pollMs: { readonly first: number; readonly most: number },
): AsyncGenerator<Uint8Array> {
  if (!hasLog(range.fromSegment)) return;
  const pick = new Picker(range.fence, stream);
  let end = endOf(range);
  let isLost = false;
  let pauseMs = pollMs.first;
  while (!signal.aborted) {
    const step = await cursor.step(end);
    if (step.kind === 'records') {
      yield* pick.from(step.bytes, step.records);
      pauseMs = pollMs.first;
      continue;
    }
    if (step.kind === 'end') return;
    if (step.kind === 'broken') {
      yield pick.lost(step.why);
      if (step.isLast) return;
      continue;
    }
    if (isLost) return yield pick.lost('the end of this attempt was not reported');
    const told = ended();
    if (told === 'lost') isLost = true;
    else if (told !== undefined) end = { segment: told.toSegment, offset: told.toOffset };
    else {
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, pollMs.most);
    }
  }
}

function endOf({ toSegment, toOffset }: LogRange): LogPlace | undefined {
  return toSegment === undefined || toOffset === undefined ? undefined : { segment: toSegment, offset: toOffset };
}

/** Takes the records of a stream out of all that were read of one attempt. */
class Picker {
  readonly #fence: number;
  readonly #wanted: Wanted;
  /** Of the newest record: a note without a place would belong to no task. */
  #place = { position: 0, attempt: 0, timeMs: 0 };

  constructor(fence: number, wanted: Wanted) {
    this.#fence = fence;
    this.#wanted = wanted;
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

  /** A note that the rest is missing; how many bytes cannot be known from here. */
  lost(why: string): Uint8Array {
    const data = encodeLogNote({ stdoutBytes: 0, stderrBytes: 0, text: `log incomplete: ${why}` });
    const record = new Uint8Array(LOG_HEADER_BYTES + data.byteLength);
    encodeLogHeader(
      { stream: LogStream.NOTE, flags: LogFlag.LOST, length: data.byteLength, fence: this.#fence, ...this.#place },
      record,
    );
    record.set(data, LOG_HEADER_BYTES);
    return record;
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
