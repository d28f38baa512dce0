import type { Job } from './job.ts';

/**
 * A job that was waited for is not in history any more. What was decided because of it stays; of what was not, only that it has ended
 * is certain: `after` and `afterany` are satisfied, all others can never be.
 */
export function forgetPredecessor(job: Job | undefined, id: number): void {
  for (const { dependency, termStates } of job?.conditions ?? []) {
    for (const [at, term] of (dependency?.terms ?? []).entries()) {
      if (term.type === 'singleton' || term.jobId !== id || termStates[at] !== 'pending') continue;
      termStates[at] = term.type === 'after' || term.type === 'afterany' ? 'satisfied' : 'failed';
    }
  }
}
