/**
 * Every machine leaves a session, which serves the tasks of one job only: it is found by that job, and removed with it.
 */
export const migration0005 = `
ALTER TABLE sessions ADD COLUMN bound_job INTEGER AS (json_extract(detail, '$.bound.jobId')) VIRTUAL;
CREATE INDEX sessions_by_job ON sessions (bound_job) WHERE bound_job IS NOT NULL;
`;
