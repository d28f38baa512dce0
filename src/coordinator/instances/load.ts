import type { Store, StoredJobFixed } from '../../store/store.ts';
import type { Memory } from '../memory.ts';
import type { BookSetup } from './book.ts';

/** Ended instances that are looked at, at most: they are listed for days. */
const MOST_ENDED = 100_000;

/** Jobs that are read with one query. */
const JOBS_AT_ONCE = 5_000;

/** Makes the book of instances complete: those that live came with the state, those that are still listed come now. */
export async function loadInstances(store: Store, memory: Memory, setup: BookSetup): Promise<void> {
  const book = memory.instances;
  book.open(setup);
  // Also those that were to be forgotten while nobody was there: what they cost counts.
  const ended = await store.findInstances({ endedFrom: 0, limit: MOST_ENDED });
  for (const row of ended) book.restore(row);
  const ofEndedJobs = new Map<number, StoredJobFixed>();
  const ids = [...book.restoredJobs].filter((jobId) => !memory.jobs.has(jobId));
  for (let at = 0; at < ids.length; at += JOBS_AT_ONCE) {
    const some = ids.slice(at, at + JOBS_AT_ONCE);
    for (const job of await store.findJobs({ live: false, ids: some, limit: some.length }))
      ofEndedJobs.set(job.id, job);
  }
  book.load((jobId) => memory.jobs.get(jobId)?.fixed ?? ofEndedJobs.get(jobId));
  for (const array of book.arrays.values()) {
    const table = memory.jobs.get(array.id)?.job.table;
    if (table !== undefined) array.measure(table);
    // The name server forgot all names when it ended.
    for (const row of array.live.values()) book.publish(row);
  }
}
