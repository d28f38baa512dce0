/** What Slurm's commands call the workers of a coordinator, and the only partition among them. */
export const CLUSTER = 'spawn';
export const PARTITION = 'main';
