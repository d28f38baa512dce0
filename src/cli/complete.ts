import { oneLine } from './output/format.ts';
import type { World } from './world.ts';

/** Whoever pressed Tab waits for it. */
const LIMIT_MS = 300;
const MOST_JOBS = 50;

/**
 * `spawn complete jobs`, for the scripts of `spawn completion`: the newest jobs, a number or a name a line, then a tab and what it is. It
 * starts nothing, and says nothing when there is nobody to ask or no answer in time.
 */
export async function complete(args: readonly string[], world: World): Promise<number> {
  if (args[0] !== 'jobs') return 0;
  const signal = AbortSignal.timeout(LIMIT_MS);
  try {
    const client = await world.connectIfRunning();
    if (client === undefined) return 0;
    const { jobs } = await client.jobs({ show: 'all', limit: MOST_JOBS }, { signal, retryForMs: 0 });
    const live = jobs.filter(({ endedAt }) => endedAt === undefined).map(({ name }) => name);
    // A name that several live jobs have would be refused.
    const names = [...new Set(live)].filter((name) => live.indexOf(name) === live.lastIndexOf(name));
    const lines = [
      ...jobs.map(({ id, name, state }) => `${id}\t${oneLine(name)} (${state})`),
      ...names.map((name) => `${name}\tby name`),
    ];
    world.stdout.write(lines.map((line) => `${line}\n`).join(''));
  } catch {
    // No completion is better than an error in the middle of a command line.
  }
  return 0;
}
