/**
 * What Slurm's commands look for.
 *
 * - The name given to them: any text, and most jobs have none. One that was changed since is in `extra`.
 * - Raw ids: the job with the largest base that is not above one may have it.
 */
export const migration0006 = `
ALTER TABLE jobs ADD COLUMN slurm_name TEXT AS (json_extract(spec, '$.slurm.name')) VIRTUAL;
ALTER TABLE job_states ADD COLUMN slurm_name TEXT AS (json_extract(extra, '$.slurm.name')) VIRTUAL;
CREATE INDEX jobs_by_slurm_name ON jobs (slurm_name) WHERE slurm_name IS NOT NULL;
CREATE INDEX renamed_jobs ON job_states (slurm_name) WHERE slurm_name IS NOT NULL;
CREATE INDEX jobs_by_raw_id ON jobs (raw_id_base);
`;
