import type { Dependency } from '../core/dependency.ts';
import { SpawnError } from '../core/errors.ts';
import type { Ledger } from './ledger.ts';

/** Brings every job that is named; each must exist, now or once. Errors: DEPENDENCY_UNKNOWN_JOB. */
export async function bringPredecessors(ledger: Ledger, dependency: Dependency | null): Promise<void> {
  for (const term of dependency?.terms ?? []) {
    if (term.type === 'singleton') continue;
    try {
      await ledger.bring(term.jobId, false);
    } catch (error) {
      if (error instanceof SpawnError && error.code === 'JOB_NOT_FOUND') {
        throw new SpawnError('DEPENDENCY_UNKNOWN_JOB', { ref: term.jobId });
      }
      throw error;
    }
  }
}

/** Indices that a term names must be in that job's array. Errors: TASK_NOT_FOUND. */
export function checkPredecessors(ledger: Ledger, dependency: Dependency | null): void {
  for (const term of dependency?.terms ?? []) {
    if (term.type === 'singleton') continue;
    const { indices } = ledger.entry(term.jobId).job.facts;
    if (term.indices === null || indices.intersect(term.indices).size === term.indices.size) continue;
    throw new SpawnError('TASK_NOT_FOUND', { ref: `${term.jobId}_[${term.indices}]`, array: String(indices) });
  }
}
