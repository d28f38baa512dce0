import type { Batch } from '../../src/store/store.ts';

/** Deep enough that the caller may go on with what it gave. */
export function copyBatch(batch: Batch): Batch {
  return {
    ...(batch.counters === undefined ? {} : { counters: { ...batch.counters } }),
    newJobs: batch.newJobs.map((job) => ({ ...job, counts: [...job.counts] })),
    jobs: batch.jobs.map((job) => ({ ...job, counts: [...job.counts] })),
    pages: batch.pages.map(copyData),
    grants: batch.grants.map(copyData),
    closedGrants: [...batch.closedGrants],
    ends: batch.ends.map(copyData),
    sessions: batch.sessions.map((session) => ({ ...session })),
    instances: (batch.instances ?? []).map((instance) => ({ ...instance })),
    budgets: (batch.budgets ?? []).map((budget) => ({ ...budget })),
    droppedInstances: [...(batch.droppedInstances ?? [])],
    resized: (batch.resized ?? []).map((job) => ({ ...job })),
    alerts: (batch.alerts ?? []).map((alert) => ({ ...alert })),
    deliveries: (batch.deliveries ?? []).map((delivery) => ({ ...delivery })),
    ...(batch.forgottenDeliveries === undefined ? {} : { forgottenDeliveries: batch.forgottenDeliveries }),
    tokens: batch.tokens.map((token) => ({ ...token })),
    droppedTokens: [...batch.droppedTokens],
    dependencies: batch.dependencies.map((dependency) => ({ ...dependency })),
    keys: batch.keys.map((key) => ({ ...key })),
    events: batch.events.map((event) => ({ ...event })),
    deletedEnds: (batch.deletedEnds ?? []).map((some) => ({ ...some })),
    deletedJobs: [...(batch.deletedJobs ?? [])],
  };
}

export function copyData<Row extends { readonly data: Uint8Array }>(row: Row): Row {
  return { ...row, data: row.data.slice() };
}
