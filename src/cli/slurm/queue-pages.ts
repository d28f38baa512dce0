import type { QueueJob, QueueQueryInput, QueueReply } from '../../api/queue.ts';
import type { Client } from '../client.ts';
import { refChunks, type SlurmId } from './job-ids.ts';

/** Slurm's `MinJobAge`, seconds: how long what has ended is shown without being asked for by its id. */
export const MIN_JOB_AGE = 300;

/** The answer to one question about the queue, its pages read as they are needed. */
export interface QueueAnswer {
  /** By the coordinator's clock, epoch ms. */
  readonly now: number;
  /** Of the ids that were asked about, those that name nothing. */
  readonly missing: readonly string[];
  /** A job comes in as many parts as there are pages with some of it. */
  readonly parts: AsyncGenerator<QueueJob>;
}

/** Asks for the queue: in one round trip unless it is longer than a page, or there are very many ids. @param asked none: everything */
export async function openQueue(
  client: Pick<Client, 'queue'>,
  query: Omit<QueueQueryInput, 'ids'>,
  asked: readonly SlurmId[] = [],
): Promise<QueueAnswer> {
  const queries = asked.length === 0 ? [query] : refChunks(asked).map((ids) => ({ ...query, ids: [...ids] }));
  const firsts: QueueReply[] = [];
  for (const each of queries) firsts.push(await client.queue(each));
  async function* parts(): AsyncGenerator<QueueJob> {
    for (const [at, first] of firsts.entries()) {
      yield* first.jobs;
      for (let after = first.next; after !== undefined; ) {
        const page = await client.queue({ ...queries[at], after });
        yield* page.jobs;
        after = page.next;
      }
    }
  }
  return { now: firsts[0]!.now, missing: firsts.flatMap(({ missing }) => missing), parts: parts() };
}
