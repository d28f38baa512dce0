import { completeSpec } from '../../api/spec-defaults.ts';
import type { StoredJob, StoredJobState } from '../store.ts';

/** What changes of a job as the database holds it: numbers and text only. */
export interface JobStateRow extends Omit<StoredJobState, 'held' | 'counts'> {
  id: number;
  held: 0 | 1;
  /** JSON. */
  counts: string;
}

export interface JobRow extends Omit<StoredJob, 'held' | 'counts' | 'spec'>, JobStateRow {
  /** JSON. */
  spec: string;
}

export function toJobStateRow(job: { id: number } & StoredJobState): JobStateRow {
  return {
    id: job.id,
    held: job.held ? 1 : 0,
    throttle: job.throttle,
    priority: job.priority,
    counts: JSON.stringify(job.counts),
    startedAt: job.startedAt,
    endedAt: job.endedAt,
    exitCode: job.exitCode,
    retried: job.retried,
    meanWallUs: job.meanWallUs,
    extra: job.extra,
  };
}

export function toJobRow(job: StoredJob): JobRow {
  return {
    ...toJobStateRow(job),
    arrayId: job.arrayId,
    name: job.name,
    owner: job.owner,
    tenant: job.tenant,
    spec: JSON.stringify(job.spec),
    indices: job.indices,
    size: job.size,
    rawIdBase: job.rawIdBase,
    createdAt: job.createdAt,
  };
}

export function fromJobRow(row: JobRow): StoredJob {
  return {
    ...row,
    held: row.held === 1,
    counts: JSON.parse(row.counts) as number[],
    // Written by this program from a spec that was checked at submit.
    spec: completeSpec(JSON.parse(row.spec)),
  };
}
