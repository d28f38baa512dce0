import type { World } from '../world.ts';
import { ACCOUNT } from './account-tables.ts';

/** Jobs that are looked at for their accounts: the newest. */
const NEWEST = 1_000;

/**
 * Accounts that the asker may name. Any is accepted; those that were named lately are told, since programs ask whether theirs is among them.
 */
export async function knownAccounts(world: World): Promise<readonly string[]> {
  const { jobs } = await (await world.connect()).jobs({ show: 'all', limit: NEWEST });
  const { SLURM_ACCOUNT, SBATCH_ACCOUNT } = world.env;
  const named = [SLURM_ACCOUNT, SBATCH_ACCOUNT, ...jobs.map(({ slurm }) => slurm?.account)];
  return [...new Set([ACCOUNT, ...named.filter((name) => name !== undefined && name !== '')])] as string[];
}
