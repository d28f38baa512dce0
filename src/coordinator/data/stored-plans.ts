import type { Planned } from '../../api/data.ts';
import type { Ledger } from '../ledger.ts';

/** Those plans that are here, all their pieces with them as a worker stores them first: nobody is given a plan that cannot be read. */
export async function storedPlans({ ports }: Ledger, planned: readonly Planned[]): Promise<Planned[]> {
  const found: Planned[] = [];
  for (const each of planned) if (await ports.blobs.has('plan', each.hash)) found.push(each);
  return found;
}
