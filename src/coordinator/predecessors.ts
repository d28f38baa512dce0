import type { Dependency, Term } from '../core/dependency.ts';
import { isSpawnError, SpawnError } from '../core/errors.ts';
import { asJobId, FIRST_RAW_ID } from '../core/ids.ts';
import type { Ledger } from './ledger.ts';
import { findRaw } from './refs.ts';

/**
 * The same with tasks named by their job and index in place of their raw numbers, so that nothing else need know of these.
 *
 * @throws DEPENDENCY_UNKNOWN_JOB
 */
export async function withoutRawIds(ledger: Ledger, { mode, terms }: Dependency): Promise<Dependency> {
  return { mode, terms: await Promise.all(terms.map((term) => withoutRawId(ledger, term))) };
}

async function withoutRawId({ memory, ports }: Ledger, term: Term): Promise<Term> {
  if (term.type === 'singleton' || term.indices !== null || term.jobId < FIRST_RAW_ID) return term;
  try {
    const { id, indices } = await findRaw(memory, ports.store, term.jobId);
    return { ...term, jobId: asJobId(id), indices };
  } catch (error) {
    throw isSpawnError(error) ? new SpawnError('DEPENDENCY_UNKNOWN_JOB', { ref: term.jobId }) : error;
  }
}

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
