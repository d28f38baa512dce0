import type { Batch } from '../../src/store/store.ts';
import type { Content } from './memory-store.ts';

/** Why a store refuses to delete what a batch names. */
export function findLive({ jobs }: Content, { deletedJobs = [] }: Batch): string | undefined {
  const live = deletedJobs.find((id) => jobs.get(id)?.endedAt === 0);
  return live === undefined ? undefined : `job ${live} has not ended`;
}

/** Removes jobs from a store in memory with all that belongs to them. */
export function deleteJobs(from: Content, { deletedEnds = [], deletedJobs = [] }: Batch): void {
  for (const { jobId, count } of deletedEnds) {
    const oldest = from.ends.filter((ends) => ends.jobId === jobId).slice(0, count);
    from.ends = from.ends.filter((ends) => !oldest.includes(ends));
  }
  for (const id of deletedJobs) {
    from.jobs.delete(id);
    from.pages.delete(id);
    from.dependents.delete(id);
    for (const dependents of from.dependents.values()) dependents.delete(id);
    from.ends = from.ends.filter((ends) => ends.jobId !== id);
    from.events = from.events.filter((event) => event.jobId !== id);
    for (const [key, { jobId }] of from.keys) if (jobId === id) from.keys.delete(key);
  }
}
