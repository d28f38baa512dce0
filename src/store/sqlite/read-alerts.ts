import type { Database, Statement } from 'better-sqlite3';
import type { DeliveriesQuery, LoadedState, NumberedDelivery, StoredAlert, StoredDelivery } from '../store.ts';

const COLUMNS =
  'd.id, d.alert_id AS alertId, d.job_id AS jobId, d.owner, d.tenant, d.created_at AS createdAt, d.next_at AS nextAt, d.detail';

export function prepareAlertReads(db: Database) {
  const alerts = db.prepare<[], StoredAlert>(
    `SELECT id, owner, tenant, created_at AS createdAt, deleted_at AS deletedAt, detail FROM alerts
     WHERE deleted_at = 0 OR id = (SELECT max(id) FROM alerts) ORDER BY id`,
  );
  const waiting = db.prepare<[], StoredDelivery>(
    `SELECT ${COLUMNS} FROM deliveries d WHERE d.next_at > 0 ORDER BY d.seq`,
  );
  const delivered = db.prepare<[], { id: string; jobId: number }>(
    `SELECT d.id, d.job_id AS jobId FROM job_states s CROSS JOIN deliveries d ON d.job_id = s.job_id
     WHERE s.ended_at = 0 AND d.next_at = 0`,
  );
  const statements = new Map<string, Statement<[object], NumberedDelivery>>();
  return {
    load: (): Pick<LoadedState, 'alerts' | 'deliveries' | 'delivered'> => ({
      alerts: alerts.all(),
      deliveries: waiting.all(),
      delivered: delivered.all(),
    }),
    find: ({ whose, ...query }: DeliveriesQuery): NumberedDelivery[] => {
      const { alertId, jobId, before } = query;
      const filters = [
        ...(alertId === undefined ? [] : ['d.alert_id = @alertId']),
        ...(jobId === undefined ? [] : ['d.job_id = @jobId']),
        ...(whose === undefined ? [] : ['d.owner = @owner AND d.tenant = @tenant']),
        ...(before === undefined ? [] : ['d.seq < @before']),
      ].join(' AND ');
      let statement = statements.get(filters);
      if (statement === undefined) {
        const where = filters === '' ? '' : `WHERE ${filters}`;
        statement = db.prepare(`SELECT d.seq, ${COLUMNS} FROM deliveries d ${where} ORDER BY d.seq DESC LIMIT @limit`);
        statements.set(filters, statement);
      }
      return statement.all({ ...query, ...whose });
    },
  };
}
