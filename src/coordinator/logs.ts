import type { LogQuery } from '../api/job.ts';
import { type EndRecord, unpackEnds } from '../core/end-chunk.ts';
import { GrantStatus } from '../core/grant-range.ts';
import type { Job } from '../core/job.ts';
import { TaskState } from '../core/task-state.ts';
import type { LogRange, LogReader } from '../objects/log-reader.ts';
import type { Store } from '../store/store.ts';
import type { Memory } from './memory.ts';
import { readEnds } from './tasks.ts';

/** Positions whose ends are read at a time. */
const SLICE = 4_096;
/** Chunks of ends read at a time. */
const CHUNKS = 256;

/** An attempt that runs: where its log begins. */
export function runningRanges(
  job: Job,
  wanted: (position: number) => boolean,
): { position: number; range: LogRange }[] {
  const found: { position: number; range: LogRange }[] = [];
  for (const grant of job.grants) {
    for (let at = 0; at < grant.count; at++) {
      if (grant.status[at] !== GrantStatus.running || !wanted(grant.position + at)) continue;
      found.push({
        position: grant.position + at,
        range: {
          jobId: job.id,
          sessionId: grant.sessionId,
          fence: grant.fence + at,
          fromSegment: grant.logSegment![at]!,
          fromOffset: grant.logOffset![at]!,
        },
      });
    }
  }
  return found;
}

/** Log records of ended attempts: the last of each task, or the one asked for. */
export async function* endedLogs(
  store: Store,
  reader: LogReader,
  jobId: number,
  positions: readonly number[],
  query: LogQuery,
): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < positions.length; from += SLICE) {
    const slice = positions.slice(from, from + SLICE);
    const last = new Map<number, EndRecord>();
    await readEnds(store, jobId, slice, (end) => {
      if (query.attempt === undefined || query.attempt === end.attempt) last.set(end.position, end);
    });
    for (const position of slice) {
      const end = last.get(position);
      if (end !== undefined) yield* reader.read(rangeOf(jobId, end), query.stream);
    }
  }
}

function rangeOf(jobId: number, end: EndRecord): LogRange {
  return {
    jobId,
    sessionId: end.sessionId,
    fence: end.fence,
    fromSegment: end.logSegment,
    fromOffset: end.logOffset,
    toSegment: end.logEndSegment,
    toOffset: end.logEndOffset,
  };
}

/** What following needs from the coordinator. */
export interface FollowPorts {
  /** Memory of now: it is rebuilt after a failed commit. */
  memory(): Memory;
  job(): Job | undefined;
  /** Resolves after the next durable change of the job. */
  changed(signal: AbortSignal): Promise<void>;
  /** Resolves when all that memory shows now is in the store. */
  durable(): Promise<void>;
}

/** Records of every selected attempt as they are written, attempts mixed by arrival, until every selected task has ended. */
export async function* followLogs(
  ports: FollowPorts,
  store: Store,
  reader: LogReader,
  jobId: number,
  positions: readonly number[],
  query: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const seen: Seen = { after: 0, fences: new Set() };
  const live = new Map<number, AsyncIterator<Uint8Array>>();
  const next = new Map<number, Promise<{ fence: number; result: IteratorResult<Uint8Array> }>>();
  const wanted = new Set(positions);
  while (!signal.aborted) {
    const changed = ports.changed(signal);
    const job = ports.job();
    const done = job === undefined || positions.every((position) => job.table.state[position]! >= TaskState.completed);
    const running = job === undefined ? [] : runningRanges(job, (position) => wanted.has(position));
    for (const { range } of running) {
      if (live.has(range.fence)) continue;
      ports.memory().followed.set(range.fence, undefined);
      const iterator = followOne(ports, reader, range, query, signal)[Symbol.asyncIterator]();
      live.set(range.fence, iterator);
      seen.fences.add(range.fence);
      next.set(range.fence, advance(range.fence, iterator));
    }
    // Memory may already show an end that the store does not have yet.
    await ports.durable();
    yield* unseenEnds(store, reader, jobId, wanted, query, seen);
    if (done && live.size === 0) return;
    const first = await Promise.race([changed.then(() => undefined), ...next.values()]);
    if (first === undefined) continue;
    const { fence, result } = first;
    if (result.done === true) {
      live.delete(fence);
      next.delete(fence);
      ports.memory().followed.delete(fence);
      continue;
    }
    next.set(fence, advance(fence, live.get(fence)!));
    yield result.value;
  }
  for (const fence of live.keys()) ports.memory().followed.delete(fence);
}

function followOne(
  ports: FollowPorts,
  reader: LogReader,
  range: LogRange,
  query: LogQuery,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const ended = () => {
    const { followed } = ports.memory();
    // Memory was rebuilt meanwhile: an attempt that it does not hold any more has ended, where is in the store alone.
    if (!followed.has(range.fence)) return stillRuns(ports, range) ? undefined : ('lost' as const);
    return followed.get(range.fence);
  };
  return reader.follow(range, query.stream, ended, signal);
}

function stillRuns(ports: FollowPorts, range: LogRange): boolean {
  const job = ports.job();
  return job !== undefined && runningRanges(job, () => true).some((running) => running.range.fence === range.fence);
}

async function advance(fence: number, iterator: AsyncIterator<Uint8Array>) {
  return { fence, result: await iterator.next() };
}

/** Which attempts were shown already, and up to which chunk of ends. */
interface Seen {
  after: number;
  readonly fences: Set<number>;
}

/** Attempts that ended without being seen running: too short, or before the following began. */
async function* unseenEnds(
  store: Store,
  reader: LogReader,
  jobId: number,
  wanted: ReadonlySet<number>,
  query: LogQuery,
  seen: Seen,
): AsyncGenerator<Uint8Array> {
  for (;;) {
    const all = { jobId, fromPosition: 0, toPosition: Number.MAX_SAFE_INTEGER, limit: CHUNKS };
    const chunks = await store.findEnds({ ...all, after: seen.after });
    for (const { id, data } of chunks) {
      seen.after = id;
      for (const end of unpackEnds(data)) {
        if (!seen.fences.delete(end.fence) && wanted.has(end.position))
          yield* reader.read(rangeOf(jobId, end), query.stream);
      }
    }
    if (chunks.length < CHUNKS) return;
  }
}
