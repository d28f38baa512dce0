import { parseDuration } from '../core/duration.ts';
import { SpawnError } from '../core/errors.ts';

const SHORTEST_MS = 2_000;
const LONGEST_MS = 3_600_000;
const USUAL_MS = 30_000;

/**
 * How long a worker may be out of touch before what it runs is given to others, from `SPAWN_LEASE`; default 30 s. Read by the coordinator
 * when it starts.
 *
 * @throws BAD_REQUEST
 */
export function readLease(env: Readonly<Record<string, string | undefined>>): number {
  const text = env.SPAWN_LEASE;
  if (!text) return USUAL_MS;
  const ms = durationOf(text);
  if (ms !== undefined && ms >= SHORTEST_MS && ms <= LONGEST_MS) return ms;
  throw new SpawnError('BAD_REQUEST', { where: 'SPAWN_LEASE', expected: 'a duration from 2s to 1h', found: text });
}

function durationOf(text: string): number | undefined {
  try {
    return parseDuration(text);
  } catch {
    return undefined;
  }
}
