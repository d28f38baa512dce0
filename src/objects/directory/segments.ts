import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogEnd, LogRange, LogReader } from '../log-reader.ts';
import { listJobFolders, removeFolder, sizeOfFolder } from './job-folders.ts';
import { diffLogs, searchLogs } from './log-search.ts';
import { Picker, type Wanted } from './picker.ts';
import { SearchPool, type SearchPoolOptions } from './search-pool.ts';
import { ChunkCache, hasLog, type LogPlace, SegmentCursor } from './segment-cursor.ts';
import { TailLines } from './tail-lines.ts';

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
  const cache = new ChunkCache();
  const walk = (range: LogRange) => new SegmentCursor(logs, range, cache);
  return {
    read: (range, stream, tail) =>
      tail === undefined ? readRange(walk(range), range, stream) : readTail(walk, range, stream, tail),
    follow: (range, stream, ended, signal, tail) => followRange(walk, range, stream, ended, signal, pollMs, tail),
    search: (jobId, which, search, signal) => searchLogs(pool, folderOf(jobId), which, search, signal),
    diff: (jobId, which, query, signal) => diffLogs(pool, folderOf(jobId), jobId, which, query, signal),
    jobs: () => listJobFolders(logs),
    size: async (jobId) => (isJob(jobId) ? await sizeOfFolder(folderOf(jobId)) : 0),
    remove: async (jobId) => {
      if (isJob(jobId)) await removeFolder(folderOf(jobId));
    },
  };
}

type Walk = (range: LogRange) => SegmentCursor;

async function* readRange(cursor: SegmentCursor, range: LogRange, stream: Wanted): AsyncGenerator<Uint8Array> {
  if (!hasLog(range.fromSegment)) return;
  const pick = new Picker(range, stream);
  for (;;) {
    const step = await cursor.step(endOf(range));
    if (step.kind === 'records') yield* pick.from(step.bytes, step.records);
    else if (step.kind === 'broken' && !step.isLast) yield pick.lost(step.why);
    else return yield* pick.finish(step.kind === 'broken' ? step.why : undefined, step.kind !== 'quiet');
  }
}

async function* readTail(walk: Walk, range: LogRange, stream: Wanted, most: number): AsyncGenerator<Uint8Array> {
  yield* (await findTail(walk, range, stream, most)).lines.records();
}

/**
 * Records are linked forwards only. But segments begin with one: what an attempt wrote last is looked for in the last segment, then in
 * the last two, four and so on.
 */
async function findTail(
  walk: Walk,
  range: LogRange,
  stream: Wanted,
  most: number,
): Promise<{ readonly range: LogRange; readonly lines: TailLines }> {
  const newest = range.toSegment ?? (hasLog(range.fromSegment) ? await walk(range).newest() : range.fromSegment);
  for (let back = 1; ; back *= 2) {
    const isWhole = newest - back < range.fromSegment;
    const { outBytes: _, errBytes: __, ...rest } = range;
    const part = isWhole ? range : { ...rest, fromSegment: newest - back + 1, fromOffset: 0 };
    const lines = new TailLines(most);
    for await (const chunk of readRange(walk(part), part, stream)) lines.add(chunk);
    if (isWhole || lines.isFull) return { range: part, lines };
  }
}

async function* followRange(
  walk: Walk,
  whole: LogRange,
  stream: Wanted,
  ended: () => LogEnd | 'lost' | undefined,
  signal: AbortSignal,
  pollMs: { readonly first: number; readonly most: number },
  most: number | undefined,
): AsyncGenerator<Uint8Array> {
  if (!hasLog(whole.fromSegment)) return;
  const range = most === undefined ? whole : (await findTail(walk, whole, stream, most)).range;
  let tail = most === undefined ? undefined : new TailLines(most);
  const cursor = walk(range);
  const pick = new Picker(range, stream);
  let end = endOf(range);
  let isLost = false;
  let pauseMs = pollMs.first;
  while (!signal.aborted) {
    const step = await cursor.step(end);
    if (step.kind === 'records') {
      for (const chunk of pick.from(step.bytes, step.records)) {
        if (tail === undefined) yield chunk;
        else tail.add(chunk);
      }
      pauseMs = pollMs.first;
      continue;
    }
    // All that was there at first has been read.
    if (tail !== undefined) yield* tail.records();
    tail = undefined;
    if (step.kind === 'broken' && !step.isLast) {
      yield pick.lost(step.why);
      continue;
    }
    if (step.kind !== 'quiet') return yield* pick.finish(step.kind === 'broken' ? step.why : undefined, true);
    if (isLost) return yield pick.lost('the end of this attempt was not reported');
    const told = ended();
    if (told === 'lost') isLost = true;
    else if (told !== undefined) {
      end = { segment: told.toSegment, offset: told.toOffset };
      if (range === whole) pick.expect(told);
    } else {
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, pollMs.most);
    }
  }
}

function endOf({ toSegment, toOffset }: LogRange): LogPlace | undefined {
  return toSegment === undefined || toOffset === undefined ? undefined : { segment: toSegment, offset: toOffset };
}

/** Anything else must never become part of a path that is removed. */
function isJob(jobId: number): boolean {
  return Number.isSafeInteger(jobId) && jobId > 0;
}
