import type { Batch } from '../../src/store/store.ts';
import type { Content } from './memory-store.ts';

/** What a store refuses: rows that name what is not there, or take what is taken. */
export function findBroken(to: Content, batch: Batch): string | undefined {
  const newIds = new Set(batch.newJobs.map(({ id }) => id));
  const newSessions = new Set(batch.sessions.map(({ id }) => id));
  const newKeys = new Set(batch.keys.map(({ owner, key }) => keyOf(owner, key)));
  const noJob = (id: number) => !newIds.has(id) && !to.jobs.has(id);
  if (newIds.size < batch.newJobs.length || batch.newJobs.some(({ id }) => to.jobs.has(id))) return 'a job is there';
  if (newKeys.size < batch.keys.length || [...newKeys].some((key) => to.keys.has(key))) return 'a key is taken';
  const named = [
    ...[...batch.jobs, ...(batch.resized ?? [])].map(({ id }) => id),
    ...[...batch.pages, ...batch.grants, ...batch.ends, ...batch.keys, ...(batch.instances ?? [])].map(
      ({ jobId }) => jobId,
    ),
    ...batch.dependencies.flatMap(({ jobId, dependsOn }) => [jobId, dependsOn]),
  ];
  const missing = named.find(noJob);
  if (missing !== undefined) return `job ${missing} is not in the store`;
  const grant = batch.grants.find(({ sessionId }) => !newSessions.has(sessionId) && !to.sessions.has(sessionId));
  return grant === undefined ? undefined : `session ${grant.sessionId} is not in the store`;
}

/** Of a key of idempotency. */
export function keyOf(owner: string, key: string): string {
  return JSON.stringify([owner, key]);
}
