import type { ExchangeRequest, FenceRun } from '../api/session.ts';
import { SpawnError } from '../core/errors.ts';
import { decodeOutcome } from '../core/outcome.ts';

/** Fences in one list: more than any machine holds. */
const MAX_FENCES = 10_000_000;

/**
 * Refuses what no worker in its right mind says, before anything of it is taken in: a column of another length than its runs would
 * make successes of what is missing, and a number that does not fit its column would spoil what is stored.
 * @throws BAD_REQUEST
 */
export function checkExchange(request: ExchangeRequest): void {
  const { starts, ends } = request;
  for (const list of ['returned', 'heldRuns', 'startedRuns'] as const) countFences(request[list] ?? [], list);
  if (starts !== undefined) {
    const { fences, agoMs, logSegment, logOffset } = starts;
    checkColumns({ agoMs, logSegment, logOffset }, fences.length, 'starts');
  }
  if (ends === undefined) return;
  const { runs, ...columns } = ends;
  checkColumns(columns, countFences(runs, 'ends.runs'), 'ends');
  for (const outcome of columns.outcome ?? []) if (!isOutcome(outcome)) refuse('ends.outcome', 'outcomes', outcome);
}

function countFences(runs: readonly FenceRun[], where: string): number {
  let count = 0;
  for (const [, length] of runs) count += length;
  if (count > MAX_FENCES) refuse(where, `at most ${MAX_FENCES} fences`, count);
  return count;
}

function checkColumns(columns: Record<string, readonly number[] | undefined>, length: number, where: string): void {
  for (const [name, column] of Object.entries(columns)) {
    if (column === undefined) continue;
    if (column.length !== length) refuse(`${where}.${name}`, `${length} numbers, one a fence`, column.length);
    for (let at = 0; at < length; at++) {
      const value = column[at]!;
      if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER))
        refuse(`${where}.${name}`, 'numbers from 0 to 2^53 - 1', value);
    }
  }
}

function isOutcome(outcome: number): boolean {
  if (outcome === 0) return true;
  if (!Number.isInteger(outcome)) return false;
  try {
    decodeOutcome(outcome);
    return true;
  } catch {
    return false;
  }
}

function refuse(where: string, expected: string, found: number | string): never {
  throw new SpawnError('BAD_REQUEST', { where, expected, found: String(found) });
}
