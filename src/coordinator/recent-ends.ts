import { type EndRecord, unpackEnds } from '../core/end-chunk.ts';
import type { Store, StoredEnds } from '../store/store.ts';

/** Of one job. What ended before its last so many tasks did is found by its index. */
const MOST_ENDS = 10_000;
const FIRST_CHUNKS = 32;
const MOST_CHUNKS = 8_192;

/** The newest end of each task that ended at `since` or later, epoch ms, by position; of very many the last 10,000 or so. */
export async function recentEnds(store: Store, jobId: number, since: number): Promise<Map<number, EndRecord>> {
  const all = { jobId, fromPosition: 0, toPosition: Number.MAX_SAFE_INTEGER, after: 0, newest: true };
  for (let limit = FIRST_CHUNKS; ; limit *= 4) {
    const chunks = await store.findEnds({ ...all, limit });
    const { ends, older } = newestOf(chunks, since);
    if (older || chunks.length < limit || limit > MOST_CHUNKS || ends.size >= MOST_ENDS) return ends;
  }
}

/** Chunks come newest first; inside one the order is that of the reports. */
function newestOf(chunks: readonly StoredEnds[], since: number): { ends: Map<number, EndRecord>; older: boolean } {
  const ends = new Map<number, EndRecord>();
  for (const { data } of chunks) {
    const records = unpackEnds(data);
    if ((records[0]?.endedAt ?? since) < since) return { ends, older: true };
    for (const end of records.toReversed()) if (!ends.has(end.position)) ends.set(end.position, end);
    if (ends.size >= MOST_ENDS) break;
  }
  return { ends, older: false };
}
