import type { JobDelta, JobView, TaskView } from '../api/job.ts';
import { awaitJob, throughRestarts } from './await-job.ts';
import { LiveProgress } from './live-progress.ts';
import { resultLine } from './output/result-line.ts';
import { showLogs, showsWholeLines } from './show-logs.ts';
import type { World } from './world.ts';

export interface WaitOptions {
  /** No progress and no result line. */
  readonly quiet: boolean;
  readonly progress: boolean;
  /** Shows the tasks' output; the progress then only where both find room on one terminal. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

const EXAMPLES = 3;

/** The job when all its tasks have ended; undefined when `signal` came first. */
export async function waitForJob(world: World, job: JobView, options: WaitOptions): Promise<JobView | undefined> {
  const { quiet, follow, signal } = options;
  const query = { follow: '1' } as const;
  const room = !follow || (world.stderr.isTTY && showsWholeLines(job, query));
  const progress = quiet || !options.progress || !room ? undefined : new LiveProgress(world);
  const ended = awaitJob(world, String(job.id), signal, (delta: JobDelta) => progress?.update(delta));
  const logs = follow ? showLogs(world, { job, query, signal, before: () => progress?.hide() }) : undefined;
  try {
    const [delta] = await Promise.all([ended, logs]);
    if (delta === undefined) return undefined;
  } finally {
    progress?.end();
  }
  const last = await throughRestarts(world, signal, async (client) => {
    const view = await client.job(String(job.id));
    const wanted = !quiet && view.counts.failed > 0;
    const failed = wanted ? (await client.tasks(String(job.id), { state: 'failed', limit: EXAMPLES })).tasks : [];
    return { view, failed: failed as readonly TaskView[] };
  });
  if (last === undefined) return undefined;
  if (!quiet) world.stderr.write(`${resultLine(last.view, last.failed)}\n`);
  return last.view;
}

/** Runs `work`, which ends early when the person stops the command; says then how to go on, if at all, and gives that exit code. */
export async function untilInterrupted(
  world: World,
  advice: string | undefined,
  work: (signal: AbortSignal) => Promise<number | undefined>,
): Promise<number> {
  const stop = new AbortController();
  let interrupted = 0;
  const unlisten = world.onInterrupt((exitCode) => {
    interrupted = exitCode;
    stop.abort();
  });
  try {
    const result = await work(stop.signal);
    if (interrupted === 0) return result ?? 1;
  } catch (error) {
    if (interrupted === 0) throw error;
  } finally {
    unlisten();
  }
  if (advice !== undefined) world.stderr.write(`${advice}\n`);
  return interrupted;
}
