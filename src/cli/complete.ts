import type { CallOptions } from '../client/connection.ts';
import type { Client } from './client.ts';
import { oneLine } from './output/format.ts';
import type { World } from './world.ts';

/** Whoever pressed Tab waits for it. */
const LIMIT_MS = 300;
const MOST_JOBS = 50;
const MOST_INSTANCES = 500;

type Rows = readonly (readonly [word: string, says: string])[];

/**
 * `spawn complete jobs` and `spawn complete instances`, for the scripts of `spawn completion`: the newest of them, a number or a name a
 * line, then a tab and what it is. It starts nothing, and says nothing when there is nobody to ask or no answer in time.
 */
export async function complete(args: readonly string[], world: World): Promise<number> {
  const [what] = args;
  if (what !== 'jobs' && what !== 'instances') return 0;
  const options = { signal: AbortSignal.timeout(LIMIT_MS), retryForMs: 0 };
  try {
    const client = await world.connectIfRunning();
    if (client === undefined) return 0;
    const rows = what === 'jobs' ? await jobRows(client, options) : await instanceRows(client, options);
    world.stdout.write(rows.map(([word, says]) => `${word}\t${says}\n`).join(''));
  } catch {
    // No completion is better than an error in the middle of a command line.
  }
  return 0;
}

async function jobRows(client: Client, options: CallOptions): Promise<Rows> {
  const { jobs } = await client.jobs({ show: 'all', limit: MOST_JOBS }, options);
  const live = jobs.filter(({ endedAt }) => endedAt === undefined).map(({ name }) => name);
  // A name that several live jobs have would be refused.
  const names = [...new Set(live)].filter((name) => live.indexOf(name) === live.lastIndexOf(name));
  return [
    ...jobs.map(({ id, name, state }) => [String(id), `${oneLine(name)} (${state})`] as const),
    ...names.map((name) => [name, 'by name'] as const),
  ];
}

async function instanceRows(client: Client, options: CallOptions): Promise<Rows> {
  const { instances } = await client.instances({ limit: MOST_INSTANCES }, options);
  const here = instances.filter(({ state }) => state !== 'terminated');
  return here.map(({ name, id, state }) => [oneLine(name), `${id} (${state})`] as const);
}
