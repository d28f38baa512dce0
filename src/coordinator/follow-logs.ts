import type { LogQuery } from '../api/job.ts';
import { type EndRecord, unpackEnds } from '../core/end-chunk.ts';
import { decodeOutcome } from '../core/outcome.ts';
import type { LogEnd, LogReader } from '../objects/log-reader.ts';
import type { Store } from '../store/store.ts';
import { endOf, type RunningLog, readEnded, type Selected } from './logs.ts';
import type { Shipments } from './shipments.ts';

/** Chunks of ends read at a time. */
const CHUNKS = 256;

/** What following needs from the coordinator. */
export interface FollowPorts {
  /** What runs of the selected tasks and whether all have ended; both durable, so that the store has the ends. */
  look(selected: Selected): Promise<{ done: boolean; running: readonly RunningLog[] }>;
  /** Calls `changed` after every durable change of the job; returns how to stop. */
  watch(changed: () => void): () => void;
  /** For one request. */
  shipments(left: AbortSignal): Shipments;
}

type End = LogEnd | 'lost';

interface Attempt {
  readonly records: AsyncIterator<Uint8Array>;
  end: End | undefined;
  /** All was read, its end is not known yet: it is remembered so as not to be read again. */
  isRead: boolean;
}

/**
 * Records of every selected attempt as they are written, attempts mixed by arrival, until every selected task has ended. With `tail`, of what
 * there is at first only the last lines of each attempt, and nothing of attempts that a running one has followed.
 */
export async function* followLogs(
  ports: FollowPorts,
  store: Store,
  reader: LogReader,
  jobId: number,
  selected: Selected,
  { stream, tail }: Pick<LogQuery, 'stream' | 'tail'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const left = new AbortController();
  const over = AbortSignal.any([signal, left.signal]);
  const shipments = ports.shipments(over);
  const live = new Map<number, Attempt>();
  const arrived: { fence: number; result: IteratorResult<Uint8Array> }[] = [];
  const failures: unknown[] = [];
  const seen = { after: 0 };
  let changed = true;
  let first = tail;
  let wake: () => void = () => {};
  const advance = (fence: number, { records }: Attempt) => {
    records
      .next()
      .then(
        (result) => arrived.push({ fence, result }),
        (error: unknown) => failures.push(error),
      )
      .then(() => wake());
  };
  const stop = ports.watch(() => {
    changed = true;
    wake();
  });
  const aborted = () => wake();
  signal.addEventListener('abort', aborted);
  try {
    while (!signal.aborted) {
      if (changed) {
        changed = false;
        const { done, running } = await ports.look(selected);
        for (const { range } of running) {
          const { fence } = range;
          if (live.has(fence)) continue;
          const attempt: Attempt = {
            records: reader.follow(range, stream, () => live.get(fence)?.end, over, first)[Symbol.asyncIterator](),
            end: undefined,
            isRead: false,
          };
          live.set(fence, attempt);
          advance(fence, attempt);
        }
        const now = new Map(first === undefined ? [] : running.map((log) => [log.position, log.attempt]));
        const before = (end: EndRecord) => end.attempt < (now.get(end.position) ?? 0);
        yield* unseenEnds(store, reader, shipments, jobId, selected, { stream, tail: first, before }, seen, live);
        first = undefined;
        if (done && live.size === 0) return;
      }
      for (const { fence, result } of arrived.splice(0)) {
        const attempt = live.get(fence)!;
        if (result.done !== true) {
          yield result.value;
          advance(fence, attempt);
          continue;
        }
        attempt.isRead = true;
        if (attempt.end !== undefined) live.delete(fence);
        changed ||= live.size === 0;
      }
      if (failures.length > 0) throw failures[0];
      if (changed || arrived.length > 0 || signal.aborted) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal.removeEventListener('abort', aborted);
    stop();
    left.abort();
  }
}

/** Tells those that are followed where they end; gives the records of attempts that were never seen running. */
async function* unseenEnds(
  store: Store,
  reader: LogReader,
  shipments: Shipments,
  jobId: number,
  selected: Selected,
  {
    stream,
    tail,
    before,
  }: Pick<LogQuery, 'stream'> & { tail: number | undefined; before: (end: EndRecord) => boolean },
  seen: { after: number },
  live: Map<number, Attempt>,
): AsyncGenerator<Uint8Array> {
  const among = { jobId, fromPosition: selected.first, toPosition: selected.last, limit: CHUNKS };
  for (;;) {
    const chunks = await store.findEnds({ ...among, after: seen.after });
    for (const { id, data } of chunks) {
      seen.after = id;
      for (const end of unpackEnds(data)) {
        if (!selected.has(end.position) || before(end)) continue;
        const attempt = live.get(end.fence);
        if (attempt === undefined) yield* readEnded(reader, shipments, jobId, end, stream, tail);
        else if (attempt.isRead) live.delete(end.fence);
        else if (decodeOutcome(end.outcome).kind === 'lost') attempt.end = 'lost';
        else {
          // What is read up to it must be there, or be given up; others are read meanwhile.
          void shipments.arrival(end).then(() => {
            attempt.end = endOf(end, shipments);
          });
        }
      }
    }
    if (chunks.length < CHUNKS) return;
  }
}
