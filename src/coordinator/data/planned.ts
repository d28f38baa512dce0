import type { JobSpec } from '../../api/job-spec.ts';
import { asJobId, type JobId } from '../../core/ids.ts';
import type { Job } from '../../core/job.ts';
import type { JobEntry, Memory } from '../memory.ts';

/** Each of its tasks reads a part of something: how many there are is found out after the submit. */
export function readsParts({ input, role }: JobSpec): boolean {
  return input !== undefined && role === undefined;
}

/** Its tasks are those of the job whose outputs it reads. */
export function readsSameTasks({ input, role }: JobSpec): boolean {
  return role === undefined && input?.type === 'job' && input.as === 'same';
}

/** It has one task in place of those that it will have. */
export function awaitsPlan({ job, fixed }: JobEntry): boolean {
  return job.plan === undefined && readsParts(fixed.spec);
}

/** The job that plans its parts, which has the number before it; undefined when there is none. */
export function plannerOf({ id, spec }: Pick<JobEntry['fixed'], 'id' | 'spec'>): JobId | undefined {
  return readsParts(spec) && !readsSameTasks(spec) ? asJobId(id - 1) : undefined;
}

/** The same, where it is in memory. */
export function planningJob({ jobs }: Memory, { fixed }: JobEntry): Job | undefined {
  const id = plannerOf(fixed);
  return id === undefined ? undefined : jobs.get(id)?.job;
}
