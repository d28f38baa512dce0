import { decodeOutcome, encodeOutcome } from '../../core/outcome.ts';
import type { Books } from '../books.ts';
import type { Runs } from '../cancel.ts';
import type { InstanceRow } from './row.ts';

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

/**
 * How an attempt ended. One that was stopped because its machine is replaced was preempted, not cancelled, whoever was first to stop it.
 * Nor is one lost whose machine was stopped: the agent that did it may have died before it could tell.
 */
export function outcomeOf({ memory }: Books, jobId: number, position: number, outcome: number): number {
  const row = memory.instances.arrays.get(jobId)?.live.get(position);
  const { kind } = decodeOutcome(outcome);
  const isReplaced = kind === 'cancelled' && row?.wanted === 'terminated' && row.reason === 'replaced';
  const isStopped = kind === 'lost' && row !== undefined && isAtRest(row);
  return isReplaced || isStopped ? encodeOutcome({ kind: 'preempted' }) : outcome;
}

/** It shall stop, has stopped, or comes back from that: what it ran before has not been heard of since. */
function isAtRest({ wanted, state, launchedAt }: InstanceRow): boolean {
  return wanted === 'stopped' || state === 'stopping' || state === 'stopped' || (state === 'pending' && launchedAt > 0);
}
