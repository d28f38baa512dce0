import { isSpawnError } from '../core/errors.ts';

/** Whether asking again cannot help: the server answered that it does not have it. */
export function isForGood(error: unknown): boolean {
  return (
    isSpawnError(error) &&
    error.http >= 400 &&
    error.http < 500 &&
    error.http !== 429 &&
    error.code !== 'SESSION_UNKNOWN'
  );
}
