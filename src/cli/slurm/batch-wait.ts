import type { JobView, TasksReply } from '../../api/job.ts';
import { MAX_PAGE } from '../../api/limits.ts';
import { awaitJob, throughRestarts } from '../await-job.ts';
import type { Client } from '../client.ts';
import { untilInterrupted } from '../wait-for-job.ts';
import type { World } from '../world.ts';
import { waitedCode } from './submit-answers.ts';
import { wordsOf } from './words.ts';

/** The job's own exit code (JobView.exitCode) is a code of a task below it; from it on it may stand for a signal or a limit. */
const LEAST_MADE_CODE = 124;
const HIGHEST = 255;

/**
 * Waits for the end of a job. The job goes on when the person stops waiting.
 * @returns what `sbatch --wait` exits with
 */
export function waitForBatch(world: World, id: number): Promise<number> {
  return untilInterrupted(world, undefined, async (signal) => {
    const ended = await awaitJob(world, String(id), signal, () => {});
    if (ended === undefined) return undefined;
    return throughRestarts(world, signal, async (client) => codeOf(client, await client.job(String(id))));
  });
}

/**
 * The highest exit code of the tasks; 1 for one that a signal or a limit ended, 0 for one that never started. Tasks are listed only where the job's own
 * code does not say it.
 */
async function codeOf(client: Pick<Client, 'tasks'>, job: JobView): Promise<number> {
  const { exitCode = 0, counts, startedAt } = job;
  if (exitCode === 0 || startedAt === undefined) return 0;
  if (exitCode < LEAST_MADE_CODE && counts.failed > 0) return exitCode;
  const state = (['failed', 'cancelled'] as const).filter((name) => counts[name] > 0).join(',');
  let highest = 0;
  for (let after: number | undefined = -1; after !== undefined && highest < HIGHEST; ) {
    const page: TasksReply = await client.tasks(String(job.id), { state, limit: MAX_PAGE, after });
    highest = Math.max(highest, waitedCode(page.tasks.map(wordsOf)));
    // Where none failed, each gives 1 at most.
    if (highest === 1 && counts.failed === 0) break;
    after = page.next;
  }
  return highest;
}
