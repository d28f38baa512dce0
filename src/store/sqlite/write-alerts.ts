import type { Database } from 'better-sqlite3';
import type { StoredAlert, StoredDelivery } from '../store.ts';
import type { PackedBatch } from './pack-batch.ts';

/** Writes what a batch says of alerts and deliveries. */
export function prepareAlertWrites(db: Database): (batch: PackedBatch) => void {
  const alert = db.prepare<StoredAlert>(
    `INSERT INTO alerts (id, owner, tenant, created_at, deleted_at, detail)
     VALUES (@id, @owner, @tenant, @createdAt, @deletedAt, @detail)
     ON CONFLICT DO UPDATE SET deleted_at = excluded.deleted_at, detail = excluded.detail`,
  );
  const delivery = db.prepare<StoredDelivery>(
    `INSERT INTO deliveries (id, alert_id, job_id, owner, tenant, created_at, next_at, detail)
     VALUES (@id, @alertId, @jobId, @owner, @tenant, @createdAt, @nextAt, @detail)
     ON CONFLICT (id) DO UPDATE SET next_at = excluded.next_at, detail = excluded.detail`,
  );
  const forget = db.prepare<[number, number]>(
    'DELETE FROM deliveries WHERE seq IN (SELECT seq FROM deliveries WHERE next_at = 0 AND created_at < ? ORDER BY seq LIMIT ?)',
  );
  const forgetAlerts = db.prepare<[number]>(
    'DELETE FROM alerts WHERE deleted_at > 0 AND deleted_at < ? AND id < (SELECT max(id) FROM alerts)',
  );
  return (batch) => {
    for (const row of batch.alerts) alert.run(row);
    for (const row of batch.deliveries) delivery.run(row);
    if (batch.forgottenDeliveries === undefined) return;
    const { before, count } = batch.forgottenDeliveries;
    forget.run(before, count);
    forgetAlerts.run(before);
  };
}
