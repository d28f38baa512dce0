import type { QueueJob, QueueQueryInput, QueueReply } from '../../api/queue.ts';
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

/** Refs in one question: their length is limited. */
const MOST_REFS = 2_000;

/** Asks for the queue: in one round trip unless it is longer than a page, or there are very many refs. @param refs undefined: everything */
export async function openQueue(
  client: Pick<Client, 'queue'>,
  query: Omit<QueueQueryInput, 'ids'>,
  refs?: readonly string[],
): Promise<QueueAnswer> {
  const queries = refs === undefined ? [query] : chunksOf(refs).map((ids) => ({ ...query, ids }));
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

function chunksOf(refs: readonly string[]): string[][] {
  const count = Math.max(1, Math.ceil(refs.length / MOST_REFS));
  return Array.from({ length: count }, (_, at) => refs.slice(at * MOST_REFS, (at + 1) * MOST_REFS));
}
