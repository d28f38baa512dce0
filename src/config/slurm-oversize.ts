import { SpawnError } from '../core/errors.ts';

/** What becomes of a job of sbatch that asks for more than any worker has. */
export type Oversize = 'refuse' | 'fit' | 'wait';

/**
 * From `SPAWN_SLURM_OVERSIZE`. Read by the command.
 *
 * @throws BAD_REQUEST
 */
export function readSlurmOversize(env: Readonly<Record<string, string | undefined>>): Oversize {
  const found = env.SPAWN_SLURM_OVERSIZE;
  const oversize = (['refuse', 'fit', 'wait'] as const).find((one) => one === (found || 'refuse'));
  if (oversize !== undefined) return oversize;
  throw new SpawnError('BAD_REQUEST', { where: 'SPAWN_SLURM_OVERSIZE', expected: 'refuse, fit or wait', found });
}
