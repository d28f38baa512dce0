/**
 * Instances and budgets.
 *
 * - Instances that are not terminated are few and are all loaded; those that are may be many, and are looked for by when they
 *   ended or by their job.
 * - `ended_at` is in the index by job, so that it answers in that order without sorting.
 */
export const migration0004 = `
CREATE TABLE instances (
  id         TEXT    PRIMARY KEY,
  job_id     INTEGER NOT NULL REFERENCES jobs (id),
  position   INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  owner      TEXT    NOT NULL,
  tenant     TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  ended_at   INTEGER NOT NULL,
  detail     TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX live_instances ON instances (job_id) WHERE ended_at = 0;
CREATE INDEX ended_instances ON instances (ended_at, id) WHERE ended_at > 0;
CREATE INDEX instances_by_job ON instances (job_id, ended_at, id);

CREATE TABLE budgets (
  tenant TEXT    NOT NULL,
  owner  TEXT    NOT NULL,
  amount REAL    NOT NULL,
  period TEXT    NOT NULL,
  set_at INTEGER NOT NULL,
  detail TEXT    NOT NULL,
  PRIMARY KEY (tenant, owner)
) STRICT, WITHOUT ROWID;
`;
