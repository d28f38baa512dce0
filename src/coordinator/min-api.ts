import type { JobSpec } from '../api/job-spec.ts';

const OF_API_2 = 'outputPath errorPath inputPath signal stage slurm gang input output params paramTable secrets';
const FIELDS = OF_API_2.split(' ') as readonly (keyof JobSpec)[];

/** Oldest version of the API whose workers would do, and understand, all that is asked for. */
export function minApiOf(spec: JobSpec): number {
  const isNewer = spec.exclusive || spec.heartbeatMs > 0 || spec.run.kind === 'handler';
  return isNewer || FIELDS.some((name) => spec[name] !== undefined) ? 2 : 1;
}
