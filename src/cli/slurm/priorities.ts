/** What Slurm's commands show for a priority of 0. Source: `priority/basic` of Slurm 22.05. */
export const PRIORITY_0 = 4_294_901_760;
/** As the coordinator takes them, of both signs. */
export const MOST_PRIORITY = 1_000_000;

/** The nearest priority that a job can have. */
export function nearestPriority(priority: number): number {
  return Math.max(-MOST_PRIORITY, Math.min(MOST_PRIORITY, priority)) || 0;
}
