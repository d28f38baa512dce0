import type { Database } from 'better-sqlite3';
import type { StoredBudget, StoredInstance, StoredInstancesQuery } from '../store.ts';

const INSTANCE = `SELECT i.id, i.job_id AS jobId, i.position, i.generation, i.owner, i.tenant, i.created_at AS createdAt,
    i.ended_at AS endedAt, i.detail`;

/** Later than any time that is stored. */
const NEVER = Number.MAX_SAFE_INTEGER;

export function prepareInstanceReads(db: Database) {
  const running = db.prepare<[], StoredInstance>(`${INSTANCE} FROM instances i WHERE i.ended_at = 0`);
  const ofLiveJobs = db.prepare<[], StoredInstance>(
    `${INSTANCE} FROM job_states s CROSS JOIN instances i ON i.job_id = s.job_id WHERE s.ended_at = 0 AND i.ended_at > 0`,
  );
  const budgets = db.prepare<[], StoredBudget>(
    'SELECT owner, tenant, amount, period, set_at AS setAt, detail FROM budgets ORDER BY tenant, owner',
  );
  const ended = (also: string) =>
    db.prepare<Required<StoredInstancesQuery>, StoredInstance>(
      `${INSTANCE} FROM instances i
       WHERE i.ended_at > 0 AND i.ended_at >= @endedFrom AND i.ended_at < @endedBefore ${also}
       ORDER BY i.ended_at DESC, i.id DESC LIMIT @limit`,
    );
  const find = { all: ended(''), job: ended('AND i.job_id = @jobId'), id: ended('AND i.id = @id') };
  return {
    load: () => ({
      instances: [...running.all(), ...ofLiveJobs.all()].sort(
        (a, b) => a.jobId - b.jobId || a.position - b.position || a.generation - b.generation,
      ),
      budgets: budgets.all(),
    }),
    find: (query: StoredInstancesQuery): StoredInstance[] => {
      const { jobId, id } = query;
      const rows = (id !== undefined ? find.id : jobId !== undefined ? find.job : find.all).all({
        jobId: 0,
        id: '',
        endedBefore: NEVER,
        ...query,
      });
      return id !== undefined && jobId !== undefined ? rows.filter((row) => row.jobId === jobId) : rows;
    },
  };
}
