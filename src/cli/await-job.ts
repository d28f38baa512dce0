import type { JobDelta } from '../api/job.ts';
import { type ErrorCode, isSpawnError } from '../core/errors.ts';
import type { Client } from './client.ts';
import type { World } from './world.ts';

/** Ends of a connection that say nothing of the job: it goes on, and the coordinator comes back. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'SERVER_UNREACHABLE',
  'SERVER_STOPPING',
  'STORE_FAILED',
  'STORE_LOCKED',
  'RATE_LIMITED',
]);
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Does `work` with a client until it is done, through every loss of the coordinator, also one that is longer than what the
 * client itself bridges.
 *
 * @param work returns undefined when the connection ended too early
 * @returns undefined when `signal` came first
 */
export async function throughRestarts<T>(
  world: World,
  signal: AbortSignal,
  work: (client: Client) => Promise<T | undefined>,
): Promise<T | undefined> {
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    const since = world.now();
    try {
      const result = await work(await world.connect());
      if (result !== undefined) return result;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(isSpawnError(error) && PASSING.has(error.code))) throw error;
    }
    if (world.now() - since > LONGEST_PAUSE_MS) pauseMs = FIRST_PAUSE_MS;
    await world.pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
  return undefined;
}

/** The state of a job once all its tasks have ended; undefined when `signal` came first. */
export function awaitJob(
  world: World,
  ref: string,
  signal: AbortSignal,
  seen: (delta: JobDelta) => void,
): Promise<JobDelta | undefined> {
  return throughRestarts(world, signal, async (client) => {
    for await (const delta of client.watch(ref, { signal })) {
      seen(delta);
      if (delta.endedAt !== undefined) return delta;
    }
    return undefined;
  });
}
