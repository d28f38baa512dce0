import type { InstancesQueryInput, InstanceView } from '../../api/instance.ts';
import type { Client } from '../client.ts';

const PAGE = 1_000;

/** Every page of a list of instances, in its order: array (the newest first), index, generation. */
export async function* instancePages(
  client: Client,
  query: InstancesQueryInput,
): AsyncGenerator<readonly InstanceView[], void, undefined> {
  let after: string | undefined;
  do {
    const page = await client.instances({ ...query, limit: PAGE, ...(after === undefined ? {} : { after }) });
    yield page.instances;
    after = page.next;
  } while (after !== undefined);
}

export async function allInstances(client: Client, query: InstancesQueryInput): Promise<readonly InstanceView[]> {
  const pages: (readonly InstanceView[])[] = [];
  for await (const page of instancePages(client, query)) pages.push(page);
  return pages.flat();
}
