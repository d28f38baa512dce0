import type { Database } from 'better-sqlite3';
import type { Resized, StoredBudget, StoredInstance } from '../store.ts';
import type { PackedBatch } from './pack-batch.ts';

/** Writes what a batch says of instances and budgets; the jobs that it names are there by then. */
export function prepareInstanceWrites(db: Database): (batch: PackedBatch) => void {
  const instance = db.prepare<StoredInstance>(
    `INSERT INTO instances (id, job_id, position, generation, owner, tenant, created_at, ended_at, detail)
     VALUES (@id, @jobId, @position, @generation, @owner, @tenant, @createdAt, @endedAt, @detail)
     ON CONFLICT DO UPDATE SET job_id = excluded.job_id, position = excluded.position, generation = excluded.generation,
       owner = excluded.owner, tenant = excluded.tenant, created_at = excluded.created_at, ended_at = excluded.ended_at,
       detail = excluded.detail`,
  );
  const drop = db.prepare<[string]>('DELETE FROM instances WHERE id = ?');
  const budget = db.prepare<StoredBudget>(
    `INSERT INTO budgets (owner, tenant, amount, period, set_at, detail)
     VALUES (@owner, @tenant, @amount, @period, @setAt, @detail)
     ON CONFLICT DO UPDATE SET amount = excluded.amount, period = excluded.period, set_at = excluded.set_at,
       detail = excluded.detail`,
  );
  const resize = db.prepare<Omit<Resized, 'rawIdBase'> & { rawIdBase: number | null }>(
    'UPDATE jobs SET indices = @indices, size = @size, raw_id_base = coalesce(@rawIdBase, raw_id_base) WHERE id = @id',
  );
  return (batch) => {
    for (const row of batch.resized) {
      if (resize.run({ ...row, rawIdBase: row.rawIdBase ?? null }).changes !== 1)
        throw new Error(`job ${row.id} is not in the store`);
    }
    for (const row of batch.instances) instance.run(row);
    // One that came and went within this batch is gone.
    for (const id of batch.droppedInstances) drop.run(id);
    for (const row of batch.budgets) budget.run(row);
  };
}
