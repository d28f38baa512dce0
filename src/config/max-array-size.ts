import { MAX_ARRAY_SIZE } from '../api/limits.ts';
import { SpawnError } from '../core/errors.ts';

/** A task takes some 3 to 40 bytes of the coordinator's memory. */
const LARGEST_ARRAY_SIZE = 100_000_000;

/**
 * Most tasks in one array, from `SPAWN_MAX_ARRAY_SIZE`; default 1,000,000. Read by the coordinator when it starts.
 *
 * @throws BAD_REQUEST
 */
export function readMaxArraySize(env: Readonly<Record<string, string | undefined>>): number {
  const text = env.SPAWN_MAX_ARRAY_SIZE;
  if (!text) return MAX_ARRAY_SIZE;
  const size = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (size >= 1 && size <= LARGEST_ARRAY_SIZE) return size;
  throw new SpawnError('BAD_REQUEST', {
    where: 'SPAWN_MAX_ARRAY_SIZE',
    expected: `a whole number from 1 to ${LARGEST_ARRAY_SIZE}`,
    found: text,
  });
}
