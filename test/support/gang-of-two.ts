import type { JobSpecInput } from '../../src/api/job-spec.ts';
import { encodeOutcome } from '../../src/core/outcome.ts';
import { CALLER, LedgerAtHand, WorkerAtHand } from './ledger-at-hand.ts';

/** A gang of two nodes, with a rank on each. */
export const PAIR: Partial<JobSpecInput> = { gang: { nodes: { min: 2, max: 2 } }, cpus: 2 };
/** How an attempt ends that was told to stop. */
export const KILLED = encodeOutcome({ kind: 'cancelled' });
/** Where the steps of n2 go. */
export const READY = { address: 'n2.example', port: 7_000 };

/** A gang that was granted to n1, and has a member on n2. */
export async function openGang(spec: Partial<JobSpecInput> = {}) {
  const at = await LedgerAtHand.open();
  const join = (worker: string) =>
    WorkerAtHand.join(at, { worker, resources: { cpus: 2, memoryBytes: 1_000, gpus: 1 } });
  const [n1, n2] = [await join('n1'), await join('n2')];
  const id = await at.submit({ ...PAIR, ...spec });
  await at.ledger.idle();
  return { at, n1, n2, id, fence: n1.fenceOf(id, 0), join };
}

/** Of each session its CPUs that are free, and how many attempts have a part there that were placed as a whole. */
export function roomOf(at: LedgerAtHand) {
  const { sessions } = at.ledger.memory;
  return [...sessions.values()].map(({ session }) => [session.worker, session.freeCpus, session.places.size]);
}

/** Which workers broke gangs, and why. */
export async function brokenBy(at: LedgerAtHand) {
  const { events } = await at.coordinator.events(CALLER, { after: 0, limit: 1_000 });
  return events.filter(({ kind }) => kind === 'gangBroken').map(({ detail }) => [detail.worker, detail.reason]);
}
