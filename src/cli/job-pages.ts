import type { JobView } from '../api/job.ts';
import type { Client } from './client.ts';

const PAGE = 1_000;

/** Every page of a list of jobs, newest first. */
export async function* jobPages(
  client: Client,
  query: { show: 'live' | 'all'; name?: string },
): AsyncGenerator<readonly JobView[], void, undefined> {
  let before: number | undefined;
  do {
    const page = await client.jobs({ ...query, limit: PAGE, ...(before === undefined ? {} : { before }) });
    yield page.jobs;
    before = page.next;
  } while (before !== undefined);
}
