import type { Ledger } from './ledger.ts';

/** Whether there is such a job, in memory or in the store. */
export async function jobExists({ memory, ports }: Ledger, id: number): Promise<boolean> {
  if (memory.jobs.has(id)) return true;
  const [found] = await ports.store.findJobs({ live: false, before: id + 1, limit: 1 });
  if (found?.id === id) return true;
  // Live: it was brought back meanwhile, or memory was rebuilt.
  const [live] = await ports.store.findJobs({ live: true, before: id + 1, limit: 1 });
  return live?.id === id;
}
