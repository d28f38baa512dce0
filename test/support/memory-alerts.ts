import type { Batch, DeliveriesQuery, LoadedState, NumberedDelivery, StoredDelivery } from '../../src/store/store.ts';
import type { Content } from './memory-store.ts';

export function writeAlerts(to: Content, { alerts = [], deliveries = [], forgottenDeliveries }: Batch): void {
  for (const alert of alerts) to.alerts.set(alert.id, alert);
  for (const delivery of deliveries) {
    const seq = to.deliveries.get(delivery.id)?.seq ?? newestSeq(to) + 1;
    to.deliveries.set(delivery.id, { ...delivery, seq });
  }
  if (forgottenDeliveries === undefined) return;
  const { before, count } = forgottenDeliveries;
  const old = [...to.deliveries.values()].filter(({ nextAt, createdAt }) => nextAt === 0 && createdAt < before);
  for (const { id } of old.slice(0, count)) to.deliveries.delete(id);
  const newest = Math.max(0, ...to.alerts.keys());
  for (const { id, deletedAt } of [...to.alerts.values()]) {
    if (deletedAt > 0 && deletedAt < before && id !== newest) to.alerts.delete(id);
  }
}

function newestSeq({ deliveries }: Content): number {
  return Math.max(0, ...[...deliveries.values()].map(({ seq }) => seq));
}

export function loadAlerts({
  alerts,
  deliveries,
  jobs,
}: Content): Pick<LoadedState, 'alerts' | 'deliveries' | 'delivered'> {
  const newest = Math.max(0, ...alerts.keys());
  const all = [...deliveries.values()].toSorted((a, b) => a.seq - b.seq);
  return {
    alerts: [...alerts.values()]
      .filter(({ id, deletedAt }) => deletedAt === 0 || id === newest)
      .toSorted((a, b) => a.id - b.id)
      .map((alert) => ({ ...alert })),
    deliveries: all.filter(({ nextAt }) => nextAt > 0).map(withoutSeq),
    delivered: all
      .filter(({ nextAt, jobId }) => nextAt === 0 && jobs.get(jobId)?.endedAt === 0)
      .map(({ id, jobId }) => ({ id, jobId })),
  };
}

function withoutSeq({ seq: _, ...delivery }: NumberedDelivery): StoredDelivery {
  return delivery;
}

export function findDeliveries({ deliveries }: Content, query: DeliveriesQuery): NumberedDelivery[] {
  const { alertId, jobId, whose, before = Number.POSITIVE_INFINITY, limit } = query;
  return [...deliveries.values()]
    .filter((row) => (alertId ?? row.alertId) === row.alertId && (jobId ?? row.jobId) === row.jobId)
    .filter(({ owner, tenant }) => whose === undefined || (whose.owner === owner && whose.tenant === tenant))
    .filter(({ seq }) => seq < before)
    .toSorted((a, b) => b.seq - a.seq)
    .slice(0, limit)
    .map((row) => ({ ...row }));
}
