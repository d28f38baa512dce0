import type { QueueJob } from '../../../api/queue.ts';
import type { Client } from '../../client.ts';
import { MOST_PRIORITY } from '../priorities.ts';
import { choose, refOf } from './chosen-tasks.ts';
import { readJobList } from './job-list.ts';
import { type Manner, refusalOfJob, tellRefusal } from './refusals.ts';
import type { Session } from './session.ts';

const TOP: Manner = { asked: 'cancel', second: false };
const HELD = 'Job is in held state, pending scheduler release';

/** Gives waiting jobs a higher priority than any other waiting job of their owner has, the first of the list the highest. */
export async function moveToTop(session: Session, client: Client, list: string): Promise<void> {
  // The last one is moved first.
  for (const id of (await readJobList(session, client, list, TOP)).toReversed()) {
    try {
      const { job, live } = await choose(client, id);
      if (live.waiting === undefined) continue;
      const ref = refOf(id);
      const queue = { ids: ref, states: 'blocked,ready,leased' };
      const [own] = (await client.queue(queue)).jobs;
      if (own !== undefined && own.groups.length > 0 && own.groups.every(({ reason }) => HELD_FOR.has(reason))) {
        return refusalOfJob(session, { text: list }, HELD, TOP);
      }
      const highest = await highestOf(client, job.owner, job.id);
      await client.update(ref, { priority: Math.min(highest + 1, MOST_PRIORITY) });
    } catch (error) {
      await tellRefusal(session, client, id, error, TOP);
    }
  }
}

const HELD_FOR: ReadonlySet<string> = new Set(['JobHeldUser', 'job_requeued_in_held_state']);

async function highestOf(client: Client, owner: string, but: number): Promise<number> {
  let highest = 0;
  for await (const part of client.allQueue({ owners: owner, states: 'blocked,ready,leased', limit: 10_000 })) {
    if (part.job.id !== but) highest = Math.max(highest, ...prioritiesOf(part));
  }
  return highest;
}

function prioritiesOf({ groups, lanes }: QueueJob): readonly number[] {
  return groups.map(({ lane }) => lanes[lane]!.priority);
}
