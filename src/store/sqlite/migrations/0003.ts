/**
 * What summaries and pruning look for.
 *
 * - `ends.bad`: of the ends before this version it is not known, so they count as holding one.
 * - A chunk of nothing but successes is not in `bad_ends`: among millions of them the few failures are found at once.
 * - Removing a job looks for its keys.
 */
export const migration0003 = `
ALTER TABLE ends ADD COLUMN bad INTEGER NOT NULL DEFAULT 1;
CREATE INDEX bad_ends ON ends (job_id, id, min_position, max_position) WHERE bad > 0;
CREATE INDEX keys_by_job ON keys (job_id);
`;
