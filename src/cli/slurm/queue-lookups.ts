import { isSpawnError } from '../../core/errors.ts';
import type { Client } from '../client.ts';
import type { QueueRow } from './queue-rows.ts';
import { awaitedJobs } from './queue-values.ts';

/** Questions that are under way together. */
const AT_ONCE = 16;

/** Tells of every job that rows wait for whether it is an array: asks for those of which no row tells. */
export async function lookUpArrays(client: Client, rows: readonly QueueRow[]): Promise<(job: number) => boolean> {
  const known = new Map(rows.map(({ job }) => [job.id, job.array !== undefined]));
  const unknown = new Set(rows.flatMap(awaitedJobs).filter((id) => !known.has(id)));
  await eachOf([...unknown], async (id) => {
    const job = await unlessGone(client.job(String(id)));
    known.set(id, job?.array !== undefined);
  });
  return (id) => known.get(id) === true;
}

/** Undefined for a job that was forgotten meanwhile. */
async function unlessGone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isSpawnError(error) && error.code === 'JOB_NOT_FOUND') return undefined;
    throw error;
  }
}

async function eachOf(ids: readonly number[], ask: (id: number) => Promise<void>): Promise<void> {
  const left = ids.values();
  const worker = async () => {
    for (const id of left) await ask(id);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, ids.length) }, worker));
}
