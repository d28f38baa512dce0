import type { JobView } from '../api/job.ts';
import type { WorkflowView } from '../api/workflow.ts';
import { throughRestarts } from './await-job.ts';
import { shownDuration } from './output/format.ts';
import { waitForJob } from './wait-for-job.ts';
import type { World } from './world.ts';

/** Jobs that are watched at once, each over a connection of its own. */
const MOST_WATCHED = 16;

/**
 * The workflow when all its jobs have ended; undefined when `signal` came first. Tells the end of each on standard error, unless it shall be
 * quiet.
 */
export async function waitForWorkflow(
  world: World,
  { id, jobs }: WorkflowView,
  { quiet, signal }: { readonly quiet: boolean; readonly signal: AbortSignal },
): Promise<WorkflowView | undefined> {
  for (let left: readonly JobView[] = jobs; ; ) {
    const waiting = left.values();
    // None of them runs before those that it waits for, which come before it.
    const watch = async () => {
      for (const job of waiting) {
        const ended = await waitForJob(world, job, { quiet: true, progress: false, follow: false, signal });
        if (ended === undefined) return;
        if (!quiet) world.stderr.write(`${endLine(ended)}\n`);
      }
    };
    await Promise.all(Array.from({ length: MOST_WATCHED }, watch));
    if (signal.aborted) return undefined;
    const last = await throughRestarts(world, signal, (client) => client.workflow(String(id)));
    if (last === undefined || last.exitCode !== undefined) return last;
    // Some were retried meanwhile.
    left = last.jobs.filter(({ endedAt }) => endedAt === undefined);
  }
}

function endLine({ id, workflow, state, startedAt, endedAt, exitCode = 0, counts, size, reason }: JobView): string {
  const took = startedAt === undefined || endedAt === undefined ? '' : ` in ${shownDuration(endedAt - startedAt)}`;
  const tasks = size === 1 ? '' : `, ${counts.completed} of ${size} tasks completed`;
  const code = state === 'failed' ? ` (exit code ${exitCode})` : '';
  return `${workflow?.key ?? id}: job ${id} ${state}${code}${took}${tasks}${reason === undefined ? '' : `: ${reason}`}`;
}
