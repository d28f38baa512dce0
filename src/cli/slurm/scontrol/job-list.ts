import { refusalOf } from '../../../config/slurm/refusal.ts';
import { splitList } from '../../../config/slurm/split-list.ts';
import type { Client } from '../../client.ts';
import { readSlurmIds, type SlurmId } from '../job-ids.ts';
import { type Manner, refusalOfJob } from './refusals.ts';
import type { Session } from './session.ts';

const NAME = /^(?:job)?name=(.*)$/is;

/** The jobs and tasks of a list by `,`, or with `Name=` those of a name that live; what is no id is said, and the others are done. */
export async function readJobList(
  session: Session,
  client: Client,
  list: string,
  manner: Manner,
): Promise<readonly SlurmId[]> {
  const [, name] = NAME.exec(list) ?? [];
  if (name !== undefined) return await jobsOfName(client, name);
  return splitList(list, ',').items.flatMap((text) => {
    try {
      return readSlurmIds('scontrol', text);
    } catch (error) {
      if (refusalOf(error) === undefined) throw error;
      refusalOfJob(session, { text }, 'Invalid job id specified', manner);
      return [];
    }
  });
}

/** Jobs of a name that have not ended, lowest number first. */
async function jobsOfName(client: Client, name: string): Promise<readonly SlurmId[]> {
  const ids: SlurmId[] = [];
  for await (const { id } of client.allJobs({ slurmName: name, limit: 10_000 }))
    ids.push(...readSlurmIds('scontrol', String(id)));
  return ids.reverse();
}
