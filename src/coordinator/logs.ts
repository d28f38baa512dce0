import type { LogQuery } from '../api/job.ts';
import type { EndRecord } from '../core/end-chunk.ts';
import { GrantStatus } from '../core/grant-range.ts';
import type { Job } from '../core/job.ts';
import { decodeOutcome } from '../core/outcome.ts';
import { PositionSet } from '../core/position-set.ts';
import { TaskState } from '../core/task-state.ts';
import type { LogEnd, LogRange, LogReader } from '../objects/log-reader.ts';
import type { Store } from '../store/store.ts';
import type { Runs } from './cancel.ts';
import type { Shipments } from './shipments.ts';
import { readEnds } from './tasks.ts';

/** Positions whose ends are read at a time. */
const SLICE = 4_096;

/** The tasks whose logs are asked for, in a bit each. */
export class Selected {
  readonly runs: Runs;
  readonly first: number;
  readonly last: number;
  readonly #positions: PositionSet;
  /** One that had not ended when last looked at. */
  #open: number;

  /** @param runs ascending, at least one */
  constructor(size: number, runs: Runs) {
    this.runs = runs;
    this.#positions = new PositionSet(size);
    for (const [start, count] of runs) this.#positions.addRange(start, count);
    this.first = runs[0]![0];
    this.last = runs.at(-1)![0] + runs.at(-1)![1] - 1;
    this.#open = this.first;
  }

  has(position: number): boolean {
    return this.#positions.has(position);
  }

  allEnded(state: Uint8Array): boolean {
    if (state[this.#open]! < TaskState.completed) return false;
    for (const [start, count] of this.runs) {
      for (let position = start; position < start + count; position++) {
        if (state[position]! >= TaskState.completed) continue;
        this.#open = position;
        return false;
      }
    }
    return true;
  }

  /** All positions, in order, some at a time. */
  *slices(): Generator<number[]> {
    let slice: number[] = [];
    for (const [start, count] of this.runs) {
      for (let position = start; position < start + count; position++) {
        slice.push(position);
        if (slice.length < SLICE) continue;
        yield slice;
        slice = [];
      }
    }
    if (slice.length > 0) yield slice;
  }
}

/** An attempt that runs: where its log begins. */
export interface RunningLog {
  readonly position: number;
  readonly attempt: number;
  readonly range: LogRange;
}

export function runningRanges(job: Job, selected: Selected): RunningLog[] {
  const found: RunningLog[] = [];
  for (const grant of job.grants) {
    if (grant.running === 0) continue;
    for (let at = 0; at < grant.count; at++) {
      if (grant.status[at] !== GrantStatus.running || !selected.has(grant.position + at)) continue;
      found.push({
        position: grant.position + at,
        attempt: grant.attempts![at]!,
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
  shipments: Shipments,
  jobId: number,
  selected: Selected,
  skipped: ReadonlySet<number>,
  query: LogQuery,
): AsyncGenerator<Uint8Array> {
  for (const slice of selected.slices()) {
    const last = new Map<number, EndRecord>();
    await readEnds(store, jobId, slice, (end) => {
      if (query.attempt === undefined || query.attempt === end.attempt) last.set(end.position, end);
    });
    for (const position of slice) {
      const end = skipped.has(position) ? undefined : last.get(position);
      if (end !== undefined) yield* readEnded(reader, shipments, jobId, end, query.stream, query.tail);
    }
  }
}

/** Bytes that are worth a piece of a reply. */
const PIECE_BYTES = 64 * 1024;

/** The same bytes in fewer pieces: those of thousands of short logs would each cost more than what is in them. */
export async function* inLargePieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let gathered: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    gathered.push(chunk);
    bytes += chunk.length;
    if (bytes < PIECE_BYTES) continue;
    yield gathered.length === 1 ? chunk : Buffer.concat(gathered);
    gathered = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(gathered);
}

const never = new AbortController().signal;

/**
 * All records of an attempt that ended, also of one whose worker ships them just now; of one that was lost, what its worker wrote until
 * then, and a note that says so.
 */
export async function* readEnded(
  reader: LogReader,
  shipments: Shipments,
  jobId: number,
  end: EndRecord,
  stream: LogQuery['stream'],
  tail?: number,
): AsyncGenerator<Uint8Array> {
  const { sessionId, fence, logSegment: fromSegment, logOffset: fromOffset } = end;
  const range = { jobId, sessionId, fence, fromSegment, fromOffset };
  if (decodeOutcome(end.outcome).kind === 'lost') return yield* reader.follow(range, stream, () => 'lost', never, tail);
  await shipments.arrival(end);
  yield* reader.read({ ...range, ...endOf(end, shipments) }, stream, tail);
}

export function endOf(end: EndRecord, shipments: Shipments): LogEnd {
  const { sessionId, logEndSegment, logEndOffset, outBytes, errBytes } = end;
  const known = { toSegment: logEndSegment, toOffset: logEndOffset, outBytes, errBytes };
  return shipments.mayGrow(sessionId) ? { ...known, mayGrow: true } : known;
}
