/**
 * Who is told of what, and what became of each message; and how workflows are found.
 *
 * - alerts: deleted ones stay for a while, so that no number is given twice.
 * - deliveries: by `id` there is one message of an event. `next_at` is when it is tried, 0 once that is over.
 * - jobs by the name of their workflow: most have none.
 */
export const migration0009 = `
CREATE TABLE alerts (
  id         INTEGER PRIMARY KEY,
  owner      TEXT    NOT NULL,
  tenant     TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  deleted_at INTEGER NOT NULL,
  detail     TEXT    NOT NULL
) STRICT;
CREATE TABLE deliveries (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT    NOT NULL UNIQUE,
  alert_id   INTEGER NOT NULL,
  job_id     INTEGER NOT NULL,
  owner      TEXT    NOT NULL,
  tenant     TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  next_at    INTEGER NOT NULL,
  detail     TEXT    NOT NULL
) STRICT;
CREATE INDEX waiting_deliveries ON deliveries (seq) WHERE next_at > 0;
CREATE INDEX deliveries_by_job ON deliveries (job_id);
CREATE INDEX deliveries_by_alert ON deliveries (alert_id, seq);
ALTER TABLE jobs ADD COLUMN workflow_name TEXT AS (json_extract(spec, '$.workflow.name')) VIRTUAL;
CREATE INDEX jobs_by_workflow ON jobs (workflow_name) WHERE workflow_name IS NOT NULL;
`;
