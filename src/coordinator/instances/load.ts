import { TaskReason, type TaskTable } from '../../core/task-table.ts';
import type { Store, StoredJobFixed } from '../../store/store.ts';
import type { Memory } from '../memory.ts';
import type { BookSetup } from './book.ts';

/** Ended instances that are looked at, at most: they are listed for days. */
const MOST_ENDED = 100_000;

/** Makes the book of instances complete: those that live came with the state, those that are still listed come now. */
export async function loadInstances(store: Store, memory: Memory, setup: BookSetup): Promise<void> {
  const book = memory.instances;
  book.open(setup);
  // Also those that were to be forgotten while nobody was there: what they cost counts.
  const ended = await store.findInstances({ endedFrom: 0, limit: MOST_ENDED });
  for (const row of ended) book.restore(row);
  const ofEndedJobs = new Map<number, StoredJobFixed>();
  for (const jobId of book.restoredJobs) {
    if (memory.jobs.has(jobId)) continue;
    const [job] = await store.findJobs({ live: false, before: jobId + 1, limit: 1 });
    if (job?.id === jobId) ofEndedJobs.set(jobId, job);
  }
  book.load((jobId) => memory.jobs.get(jobId)?.fixed ?? ofEndedJobs.get(jobId));
  for (const array of book.arrays.values()) {
    const table = memory.jobs.get(array.id)?.job.table;
    if (table !== undefined) array.size = sizeOf(table);
    // The name server forgot all names when it ended.
    for (const row of array.live.values()) book.publish(row);
  }
}

/** Members that there shall be: all but those that a resize took away. */
export function sizeOf(table: TaskTable): number {
  if (table.reasons === undefined) return table.size;
  let size = 0;
  for (let position = 0; position < table.size; position++) if (table.reasonOf(position) !== TaskReason.resized) size++;
  return size;
}
