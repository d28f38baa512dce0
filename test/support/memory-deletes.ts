import type { Batch } from '../../src/store/store.ts';
import type { Content } from './memory-store.ts';

/** Why a store refuses to delete what a batch names. */
export function findLive(
  { jobs, instances }: Content,
  { deletedJobs = [], instances: written = [] }: Batch,
): string | undefined {
  const live = deletedJobs.find((id) => jobs.get(id)?.endedAt === 0);
  if (live !== undefined) return `job ${live} has not ended`;
  const running = [...new Map([...instances, ...written.map((row) => [row.id, row] as const)]).values()].find(
    ({ jobId, endedAt }) => endedAt === 0 && deletedJobs.includes(jobId),
  );
  return running === undefined ? undefined : `job ${running.jobId} has an instance that is not terminated`;
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
    for (const [key, { jobId, nextAt }] of from.deliveries)
      if (jobId === id && nextAt === 0) from.deliveries.delete(key);
    for (const [key, { jobId }] of from.instances) if (jobId === id) from.instances.delete(key);
    for (const [key, { closedAt, detail }] of from.sessions)
      if (closedAt > 0 && (JSON.parse(detail) as { bound?: { jobId: number } }).bound?.jobId === id)
        from.sessions.delete(key);
    for (const [key, { jobId }] of from.keys) if (jobId === id) from.keys.delete(key);
  }
}
