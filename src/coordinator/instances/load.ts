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
      ofEndedJobs.set(job.id, fixedOf(job));
  }
  book.load((jobId) => memory.jobs.get(jobId)?.fixed ?? ofEndedJobs.get(jobId));
  for (const { job, fixed } of memory.jobs.values()) {
    if (fixed.spec.instances === undefined) continue;
    book.arrays.get(job.id)?.measure(job.table);
    // Its members may have no machine yet, or none any more.
    book.dirty.add(job.id);
  }
  // The name server forgot all names when it ended.
  for (const array of book.liveArrays) for (const row of array.live.values()) book.publish(row);
}

/** Without what is of no use of a job that has ended: there may be many. */
function fixedOf(row: StoredJobFixed): StoredJobFixed {
  const { id, arrayId, name, owner, tenant, spec, indices, size, rawIdBase, createdAt } = row;
  return { id, arrayId, name, owner, tenant, spec, indices, size, rawIdBase, createdAt };
}
