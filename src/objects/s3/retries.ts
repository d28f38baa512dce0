import { type Action, type Judge, Patience, untilDone } from '../patience.ts';
import { toSpawnError, whyRetry } from './refusals.ts';

/** What errors of the SDK mean. */
export const S3_JUDGE: Judge = { whyRetry, toThrow: toSpawnError };

/** Does something until it works. Errors: as `Patience.again`; the reason of the signal when that is aborted. */
export async function withRetries<T>(
  work: () => Promise<T>,
  action: Action,
  patienceMs: number,
  signal: AbortSignal | undefined,
): Promise<T> {
  return await untilDone(work, new Patience(patienceMs, S3_JUDGE), action, signal);
}
