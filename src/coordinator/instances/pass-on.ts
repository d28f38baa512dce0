import { decodeOutcome, encodeOutcome } from '../../core/outcome.ts';
import type { Books } from '../books.ts';
import type { Runs } from '../cancel.ts';

/** Tasks were sent back while their machines are to end: what becomes of them is the business of the next machines. */
export function passOn({ memory }: Books, jobId: number, runs: Runs): void {
  for (const row of memory.instances.arrays.get(jobId)?.live.values() ?? []) {
    const { position } = row;
    if (row.wanted !== 'terminated' || row.passedOn === true) continue;
    if (!runs.some(([start, count]) => position >= start && position < start + count)) continue;
    row.passedOn = true;
    memory.instances.save(memory.changes, row);
  }
}

/** How an attempt ended: one that was stopped because its machine is replaced was preempted, not cancelled, whoever was first to stop it. */
export function outcomeOf({ memory }: Books, jobId: number, position: number, outcome: number): number {
  if (decodeOutcome(outcome).kind !== 'cancelled') return outcome;
  const row = memory.instances.arrays.get(jobId)?.live.get(position);
  return row?.wanted === 'terminated' && row.reason === 'replaced' ? encodeOutcome({ kind: 'preempted' }) : outcome;
}
