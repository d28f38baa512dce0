import type { Job } from '../core/job.ts';
import type { RunningAttempt, SearchedLogs } from '../objects/log-reader.ts';
import type { Store } from '../store/store.ts';
import type { Runs } from './cancel.ts';
import { runningRanges, Selected } from './logs.ts';

/** Chunks of ends read at a time. */
const CHUNKS = 256;

/** What memory knows of the tasks to look at: taken at one moment. */
export interface SeenLogs {
  readonly indices: string;
  readonly wanted: Uint8Array;
  readonly running: readonly RunningAttempt[];
}

/** @param groups runs of positions by group: the first is group 1 */
export function seeLogs(job: Job, groups: readonly Runs[]): SeenLogs {
  const wanted = new Uint8Array(job.size);
  for (const [at, runs] of groups.entries())
    for (const [start, count] of runs) wanted.fill(at + 1, start, start + count);
  const all = groups.flat().sort((a, b) => a[0] - b[0]);
  const running = all.length === 0 ? [] : runningRanges(job, new Selected(job.size, all));
  return {
    indices: String(job.facts.indices),
    wanted,
    running: running.map(({ position, attempt, range }) => ({ ...range, position, attempt })),
  };
}

/** Adds where the logs of what has ended lie. */
export async function addEnds(store: Store, jobId: number, seen: SeenLogs): Promise<SearchedLogs> {
  const fromPosition = seen.wanted.findIndex((group) => group !== 0);
  if (fromPosition < 0) return { ...seen, ends: [] };
  const toPosition = seen.wanted.findLastIndex((group) => group !== 0);
  const ends: { data: Uint8Array; lengths: number[] }[] = [];
  for (let after = 0; ; ) {
    const chunks = await store.findEnds({ jobId, fromPosition, toPosition, after, limit: CHUNKS });
    // One block each time, and not a view each: a thread gets the whole block that is behind a view.
    if (chunks.length > 0) {
      const data = new Uint8Array(Buffer.concat(chunks.map((chunk) => chunk.data)));
      ends.push({ data, lengths: chunks.map((chunk) => chunk.data.length) });
    }
    if (chunks.length < CHUNKS) return { ...seen, ends };
    after = chunks.at(-1)!.id;
  }
}
