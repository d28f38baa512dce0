import type { QueueJob, QueueQueryInput } from '../../api/queue.ts';
import type { Client } from '../client.ts';

/** The answer to one question about the queue, its pages read as they are needed. */
export interface QueueAnswer {
  /** By the coordinator's clock, epoch ms. */
  readonly now: number;
  /** Of the ids that were asked about, those that name nothing. */
  readonly missing: readonly string[];
  /** A job comes in as many parts as there are pages with some of it. */
  readonly parts: AsyncGenerator<QueueJob>;
}

/** Asks for the queue: in one round trip unless it is longer than a page. */
export async function openQueue(client: Pick<Client, 'queue'>, query: QueueQueryInput): Promise<QueueAnswer> {
  const first = await client.queue(query);
  async function* parts(): AsyncGenerator<QueueJob> {
    yield* first.jobs;
    for (let after = first.next; after !== undefined; ) {
      const page = await client.queue({ ...query, after });
      yield* page.jobs;
      after = page.next;
    }
  }
  return { now: first.now, missing: first.missing, parts: parts() };
}
