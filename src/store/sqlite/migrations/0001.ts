/**
 * The first schema.
 *
 * - What changes of a job is apart from what does not: SQLite rewrites whole rows, and a spec may be megabytes long.
 * - `meta.schema_version` keeps its name and place for ever: every later and earlier release reads it first.
 */
export const migration0001 = `
CREATE TABLE meta (
  one            INTEGER PRIMARY KEY CHECK (one = 1),
  schema_version INTEGER NOT NULL,
  store_id       TEXT    NOT NULL,
  epoch          INTEGER NOT NULL,
  next_job       INTEGER NOT NULL,
  next_raw       INTEGER NOT NULL,
  next_fence     INTEGER NOT NULL,
  next_session   INTEGER NOT NULL
) STRICT;

CREATE TABLE jobs (
  id          INTEGER PRIMARY KEY,
  array_id    TEXT    NOT NULL,
  name        TEXT    NOT NULL,
  owner       TEXT    NOT NULL,
  tenant      TEXT    NOT NULL,
  size        INTEGER NOT NULL,
  raw_id_base INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  indices     TEXT    NOT NULL,
  spec        TEXT    NOT NULL
) STRICT;
CREATE INDEX jobs_by_name ON jobs (name, id);
CREATE INDEX jobs_by_array_id ON jobs (array_id, id);

CREATE TABLE job_states (
  job_id       INTEGER PRIMARY KEY REFERENCES jobs (id),
  held         INTEGER NOT NULL,
  throttle     INTEGER NOT NULL,
  priority     INTEGER NOT NULL,
  started_at   INTEGER NOT NULL,
  ended_at     INTEGER NOT NULL,
  exit_code    INTEGER NOT NULL,
  retried      INTEGER NOT NULL,
  mean_wall_us REAL    NOT NULL,
  counts       TEXT    NOT NULL,
  extra        TEXT    NOT NULL
) STRICT;
CREATE INDEX live_jobs ON job_states (job_id) WHERE ended_at = 0;

CREATE TABLE pages (
  job_id INTEGER NOT NULL REFERENCES jobs (id),
  page   INTEGER NOT NULL,
  data   BLOB    NOT NULL,
  PRIMARY KEY (job_id, page)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  id        INTEGER PRIMARY KEY,
  worker    TEXT    NOT NULL,
  host      TEXT    NOT NULL,
  pid       INTEGER NOT NULL,
  instance  TEXT    NOT NULL,
  opened_at INTEGER NOT NULL,
  closed_at INTEGER NOT NULL,
  detail    TEXT    NOT NULL
) STRICT;
CREATE INDEX open_sessions ON sessions (id) WHERE closed_at = 0;

CREATE TABLE grants (
  fence      INTEGER PRIMARY KEY,
  session_id INTEGER NOT NULL REFERENCES sessions (id),
  job_id     INTEGER NOT NULL REFERENCES jobs (id),
  position   INTEGER NOT NULL,
  count      INTEGER NOT NULL,
  data       BLOB    NOT NULL
) STRICT;

CREATE TABLE ends (
  id           INTEGER PRIMARY KEY,
  job_id       INTEGER NOT NULL REFERENCES jobs (id),
  min_position INTEGER NOT NULL,
  max_position INTEGER NOT NULL,
  count        INTEGER NOT NULL,
  data         BLOB    NOT NULL
) STRICT;
-- The positions are in it so that chunks elsewhere in the array are passed over without reading them.
CREATE INDEX ends_by_job ON ends (job_id, id, min_position, max_position);

CREATE TABLE dependencies (
  job_id     INTEGER NOT NULL REFERENCES jobs (id),
  depends_on INTEGER NOT NULL REFERENCES jobs (id),
  PRIMARY KEY (job_id, depends_on)
) STRICT, WITHOUT ROWID;
CREATE INDEX dependents ON dependencies (depends_on, job_id);

CREATE TABLE keys (
  owner     TEXT    NOT NULL,
  key       TEXT    NOT NULL,
  body_hash TEXT    NOT NULL,
  job_id    INTEGER NOT NULL REFERENCES jobs (id),
  at        INTEGER NOT NULL,
  PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  id     INTEGER PRIMARY KEY,
  at     INTEGER NOT NULL,
  job_id INTEGER NOT NULL,
  kind   TEXT    NOT NULL,
  detail TEXT    NOT NULL
) STRICT;
CREATE INDEX events_by_job ON events (job_id, id);
`;
