import type { Database } from 'better-sqlite3';
import type { StoredKey, StoredSession, StoredToken } from '../store.ts';
import { prepareDeletes } from './delete-jobs.ts';
import { ENDS_WIDTH, eachRow, GRANT_WIDTH, PAGE_WIDTH, type PackedBatch } from './pack-batch.ts';
import type { JobRow, JobStateRow } from './rows.ts';
import { prepareAlertWrites } from './write-alerts.ts';
import { prepareInstanceWrites } from './write-instances.ts';

/** The store has a newer epoch than the one who writes. */
export class EpochPassed extends Error {}

const JOB_COLUMNS = `id, array_id, name, owner, tenant, size, raw_id_base, created_at, indices, spec`;
const JOB_VALUES = `@id, @arrayId, @name, @owner, @tenant, @size, @rawIdBase, @createdAt, @indices, @spec`;
const SESSION_COLUMNS = `id, worker, host, pid, instance, opened_at, closed_at, detail`;
const SESSION_VALUES = `@id, @worker, @host, @pid, @instance, @openedAt, @closedAt, @detail`;

/**
 * Writes one batch in one transaction; durable when it returns, no trace when it throws.
 * Whatever a batch names must be there before it or in it: a job, a session.
 */
export function prepareWrites(db: Database, epoch: number): (batch: PackedBatch) => void {
  const statements = prepareStatements(db);
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const currentEpoch = db.prepare<[], number>('SELECT epoch FROM meta').pluck();
  return (batch) => {
    begin.run();
    try {
      if (currentEpoch.get() !== epoch) throw new EpochPassed();
      writeRows(statements, batch);
      commit.run();
    } catch (error) {
      // SQLite has rolled back by itself after some errors.
      if (db.inTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };
}

type Statements = ReturnType<typeof prepareStatements>;

function prepareStatements(db: Database) {
  return {
    counters: db.prepare('UPDATE meta SET next_job = ?, next_raw = ?, next_fence = ?, next_session = ?'),
    newJob: db.prepare<JobRow>(`INSERT INTO jobs (${JOB_COLUMNS}) VALUES (${JOB_VALUES})`),
    newState: db.prepare<JobStateRow>(
      `INSERT INTO job_states (job_id, held, throttle, priority, started_at, ended_at, exit_code, retried, mean_wall_us,
         counts, extra)
       VALUES (@id, @held, @throttle, @priority, @startedAt, @endedAt, @exitCode, @retried, @meanWallUs, @counts, @extra)`,
    ),
    state: db.prepare<JobStateRow>(
      `UPDATE job_states SET held = @held, throttle = @throttle, priority = @priority, started_at = @startedAt,
         ended_at = @endedAt, exit_code = @exitCode, retried = @retried, mean_wall_us = @meanWallUs, counts = @counts,
         extra = @extra
       WHERE job_id = @id`,
    ),
    page: db.prepare(
      `INSERT INTO pages (job_id, page, data) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET data = excluded.data`,
    ),
    session: db.prepare<StoredSession>(
      `INSERT INTO sessions (${SESSION_COLUMNS}) VALUES (${SESSION_VALUES})
       ON CONFLICT DO UPDATE SET worker = excluded.worker, host = excluded.host, pid = excluded.pid,
         instance = excluded.instance, opened_at = excluded.opened_at, closed_at = excluded.closed_at,
         detail = excluded.detail`,
    ),
    token: db.prepare<StoredToken>(
      `INSERT OR REPLACE INTO tokens (id, name, role, owner, tenant, hash, created_at, expires_at, revoked_at, last_used_at)
       VALUES (@id, @name, @role, @owner, @tenant, @hash, @createdAt, @expiresAt, @revokedAt, @lastUsedAt)`,
    ),
    dropToken: db.prepare('DELETE FROM tokens WHERE id = ?'),
    grant: db.prepare(
      `INSERT INTO grants (fence, session_id, job_id, position, count, data) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET session_id = excluded.session_id, job_id = excluded.job_id,
         position = excluded.position, count = excluded.count, data = excluded.data`,
    ),
    closeGrant: db.prepare('DELETE FROM grants WHERE fence = ?'),
    ends: db.prepare(
      'INSERT INTO ends (job_id, min_position, max_position, count, bad, data) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    dependency: db.prepare('INSERT INTO dependencies (job_id, depends_on) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    key: db.prepare<StoredKey>(
      'INSERT INTO keys (owner, key, body_hash, job_id, at) VALUES (@owner, @key, @bodyHash, @jobId, @at)',
    ),
    event: db.prepare('INSERT INTO events (at, job_id, kind, detail) VALUES (?, ?, ?, ?)'),
    instances: prepareInstanceWrites(db),
    alerts: prepareAlertWrites(db),
    deletes: prepareDeletes(db),
  };
}

/** Jobs and sessions first: the other rows refer to them. */
function writeRows(to: Statements, batch: PackedBatch): void {
  const { counters } = batch;
  if (counters !== undefined) {
    to.counters.run(counters.nextJob, counters.nextRaw, counters.nextFence, counters.nextSession);
  }
  for (const row of batch.newJobs) {
    to.newJob.run(row);
    to.newState.run(row);
  }
  for (const row of batch.jobs) {
    if (to.state.run(row).changes !== 1) throw new Error(`job ${row.id} is not in the store`);
  }
  for (const row of batch.sessions) to.session.run(row);
  to.instances(batch);
  to.alerts(batch);
  for (const row of batch.tokens) to.token.run(row);
  for (const id of batch.droppedTokens) to.dropToken.run(id);
  eachRow(batch.pages, PAGE_WIDTH, (at, data) => {
    const { numbers } = batch.pages;
    to.page.run(numbers[at], numbers[at + 1], data);
  });
  eachRow(batch.grants, GRANT_WIDTH, (at, data) => {
    const { numbers } = batch.grants;
    to.grant.run(numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3], numbers[at + 4], data);
  });
  // After the grants: one that opened and closed within this batch is gone, since no fence is given twice.
  for (const fence of batch.closedGrants) to.closeGrant.run(fence);
  eachRow(batch.ends, ENDS_WIDTH, (at, data) => {
    const { numbers } = batch.ends;
    to.ends.run(numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3], numbers[at + 4], data);
  });
  for (const { jobId, dependsOn } of batch.dependencies) to.dependency.run(jobId, dependsOn);
  for (const row of batch.keys) to.key.run(row);
  for (const row of batch.events) to.event.run(row.at, row.jobId, row.kind, row.detail);
  // After the events: as long as a later one stays, the id of a deleted one is never given again.
  for (const { jobId, count } of batch.deletedEnds) to.deletes.someEnds(jobId, count);
  for (const id of batch.deletedJobs) to.deletes.job(id);
}
