/** What Slurm's commands call the workers of a coordinator, and the only partition among them. */
export const CLUSTER = 'spawn';
export const PARTITION = 'main';

/**
 * In place of the first word of a job's command: the `srun` of the worker that runs it, wherever that is installed. No program has such a name.
 */
export const SRUN_PROGRAM = 'spawn:srun';
