import { isSpawnError } from '../../../core/errors.ts';
import { readSlurmId } from '../job-ids.ts';
import { choose, refOf } from './chosen-tasks.ts';
import type { Session } from './session.ts';

/** `wait_job`: the nodes of what runs are ready, since nothing runs on others. */
export async function waitJob(session: Session, text: string): Promise<void> {
  const id = readSlurmId(text);
  if (id === undefined) return session.fail(`scontrol: error: Invalid job id ${text}`);
  const client = await session.world.connect();
  try {
    const { live } = await choose(client, id);
    if (live.running !== undefined || live.suspended !== undefined) {
      session.complain(`scontrol: Nodes are ready for job ${refOf(id)}`);
      return;
    }
    session.fail(`scontrol: Job ${refOf(id)} no longer running`);
  } catch (error) {
    if (!isSpawnError(error) || error.code !== 'JOB_NOT_FOUND') throw error;
    session.fail(`scontrol: Problem running job ${refOf(id)}`);
  }
}
