import { BATCHES_PER_PIECE, type BatchesQuery, type BatchesReply, BatchPiece, PlanBatches } from '../../api/results.ts';
import { SpawnError } from '../../core/errors.ts';
import { TASK_STATES } from '../../core/task-state.ts';
import type { Ledger } from '../ledger.ts';
import { lookAt } from '../reading.ts';
import { resolveRef } from '../refs.ts';
import { countsOf } from '../views.ts';

/** How the parts of each file or value fare. Errors: JOB_NOT_FOUND, PLAN_DAMAGED; CONFLICT for a job without a plan. */
export async function readBatches(ledger: Ledger, ref: string, query: BatchesQuery): Promise<BatchesReply> {
  const { id } = await resolveRef(ledger.memory, ledger.ports.store, ref, 'look');
  const { hash, state } = await lookAt(ledger, id, ({ job }) => {
    if (job.plan === undefined || job.plan.hash === '') {
      throw new SpawnError('CONFLICT', { what: `job ${id}`, expected: 'one with the plan of an input', found: 'none' });
    }
    return { hash: job.plan.hash, state: job.table.state };
  });
  const plan = PlanBatches.parse(await readJson(ledger, hash));
  const first = query.after + 1;
  const last = Math.min(plan.batchCount, first + query.limit);
  const batches = [];
  let piece = plan.batches;
  for (let at = first; at < last; at++) {
    const own = plan.batchPieces?.[Math.floor(at / BATCHES_PER_PIECE)];
    if (own !== undefined && (piece === undefined || at % BATCHES_PER_PIECE === 0))
      piece = BatchPiece.parse(await readJson(ledger, own));
    const batch = piece?.[own === undefined ? at : at % BATCHES_PER_PIECE];
    if (batch === undefined) throw new SpawnError('PLAN_DAMAGED', { what: hash, why: `it has no batch ${at}` });
    batches.push({ ...batch, counts: countsOf(count(state.subarray(batch.first, batch.first + batch.parts))) });
  }
  return { batches, total: plan.batchCount, ...(last < plan.batchCount ? { next: last - 1 } : {}) };
}

function count(states: Uint8Array): number[] {
  const counts = TASK_STATES.map(() => 0);
  for (const state of states) counts[state]!++;
  return counts;
}

async function readJson({ ports }: Ledger, hash: string): Promise<unknown> {
  const found = await ports.blobs.get(hash);
  if (found?.kind !== 'plan') throw new SpawnError('PLAN_DAMAGED', { what: hash, why: 'it is not stored' });
  return JSON.parse(new TextDecoder().decode(found.bytes));
}
