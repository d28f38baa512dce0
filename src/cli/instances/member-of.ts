import type { JobView, TaskView } from '../../api/job.ts';
import type { Client } from '../client.ts';

/**
 * The task of the member that a person named, where a name or an id of an instance stood for a job: the coordinator takes both. Undefined
 * when the whole job was meant.
 */
export async function memberOf(client: Client, ref: string, job: JobView): Promise<TaskView | undefined> {
  const isJob = !job.instances || [String(job.id), job.name, job.arrayId].includes(ref);
  if (isJob) return undefined;
  const { tasks } = await client.tasks(ref, { limit: 1 });
  return tasks[0];
}
