import type { Batch, LoadedState, StoredInstance, StoredInstancesQuery } from '../../src/store/store.ts';
import type { Content } from './memory-store.ts';

export function writeInstances(to: Content, batch: Batch): void {
  for (const row of batch.resized ?? []) to.jobs.set(row.id, { ...to.jobs.get(row.id)!, ...row });
  for (const instance of batch.instances ?? []) to.instances.set(instance.id, instance);
  for (const id of batch.droppedInstances ?? []) to.instances.delete(id);
  for (const budget of batch.budgets ?? []) to.budgets.set(JSON.stringify([budget.tenant, budget.owner]), budget);
}

export function loadInstances({ jobs, instances, budgets }: Content): Pick<LoadedState, 'instances' | 'budgets'> {
  return {
    instances: [...instances.values()]
      .filter(({ endedAt, jobId }) => endedAt === 0 || jobs.get(jobId)?.endedAt === 0)
      .toSorted((a, b) => a.jobId - b.jobId || a.position - b.position || a.generation - b.generation)
      .map((instance) => ({ ...instance })),
    budgets: [...budgets.values()]
      .toSorted((a, b) => compare(a.tenant, b.tenant) || compare(a.owner, b.owner))
      .map((budget) => ({ ...budget })),
  };
}

export function findInstances({ instances }: Content, query: StoredInstancesQuery): StoredInstance[] {
  const { jobId, id, endedFrom, endedBefore = Number.POSITIVE_INFINITY, limit } = query;
  return [...instances.values()]
    .filter(({ endedAt }) => endedAt > 0 && endedAt >= endedFrom && endedAt < endedBefore)
    .filter((instance) => (jobId ?? instance.jobId) === instance.jobId && (id ?? instance.id) === instance.id)
    .toSorted((a, b) => b.endedAt - a.endedAt || compare(b.id, a.id))
    .slice(0, limit)
    .map((instance) => ({ ...instance }));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
