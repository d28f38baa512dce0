import type { JobView } from '../../src/api/job.ts';
import type { JobSpec } from '../../src/api/job-spec.ts';

/** Of a job with an input: itself, the job that plans it, and the one that collects; none of any other job. */
export function idsOf({ id, plan }: JobView, { output }: JobSpec): number[] {
  if (plan === undefined) return [];
  return [...(plan.job === undefined ? [] : [plan.job]), id, ...(output === undefined ? [] : [id + 1])];
}
