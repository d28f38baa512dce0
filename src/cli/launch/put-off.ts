import type { JobView } from '../../api/job.ts';

/** Nothing of it is started for now: there may be nothing to connect to, or to terminate, for days. */
export function isPutOff({ state, beginAt }: JobView): boolean {
  return state === 'held' || state === 'blocked' || beginAt !== undefined;
}
