import { isSpawnError, SpawnError } from '../core/errors.ts';
import { TransportFailure } from './transport.ts';

/** When a call is tried again. */
export interface RetryRules {
  /** For the error. */
  address: string;
  /** Time from the first failure on, ms; 0 = never try again. */
  retryForMs: number;
  /** Trying again is right also when the request may have arrived. */
  repeatable: boolean;
  /** Awaited once when nobody listens at the address, before the next try; its own error ends the call. */
  onUnreachable?: (() => Promise<void>) | undefined;
  signal?: AbortSignal | undefined;
}

const ARRIVAL_UNKNOWN = '; whether the request was carried out is not known';
const FIRST_DELAY_MS = 20;
const LONGEST_DELAY_MS = 1_000;

/**
 * Calls `attempt` until it succeeds, fails for good, or the time is over. Tried again: a link that failed (a broken one only
 * when `repeatable`) and replies 503 and 429, which changed nothing, not before the time that they name. Errors: those of
 * `attempt`; SERVER_UNREACHABLE for a link; the signal's reason, at once.
 */
export async function withRetry<T>(rules: RetryRules, attempt: () => Promise<T>): Promise<T> {
  let deadline: number | undefined;
  let hook = rules.onUnreachable;
  for (let failures = 0; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (!mayRepeat(error, rules.repeatable)) throw toSpawnError(error, rules.address, ARRIVAL_UNKNOWN);
      if (hook !== undefined && error instanceof TransportFailure && error.kind === 'unsent') {
        await unlessAborted(hook(), rules.signal);
        hook = undefined;
        deadline = undefined;
        failures = -1;
        continue;
      }
      deadline ??= performance.now() + rules.retryForMs;
      const waitMs = Math.max(delayMs(failures), askedMs(error));
      if (performance.now() + waitMs > deadline) throw toSpawnError(error, rules.address);
      await pause(waitMs, rules.signal);
    }
  }
}

function mayRepeat(error: unknown, repeatable: boolean): boolean {
  if (error instanceof TransportFailure) return repeatable || error.kind === 'unsent';
  if (!isSpawnError(error)) return false;
  if (error.http === 503 || error.http === 429) return true;
  // A proxy's, which may have passed the request on before.
  return repeatable && error.code === 'INTERNAL' && PASSING.has(error.details.status);
}

/** Statuses of a proxy that found no server behind it, or had no time. */
const PASSING: ReadonlySet<unknown> = new Set([429, 502, 503, 504]);

/** How long the reply asked to wait, ms. */
function askedMs(error: unknown): number {
  const asked = isSpawnError(error) ? error.details.retryAfterMs : undefined;
  return typeof asked === 'number' && asked > 0 ? asked : 0;
}

async function unlessAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work;
  const left = new AbortController();
  try {
    await Promise.race([work, pause(MAX_TIMER_MS, AbortSignal.any([signal, left.signal]))]);
  } finally {
    left.abort();
  }
}

/** Longest time that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A failed link as SERVER_UNREACHABLE, anything else as it is. */
export function toSpawnError(error: unknown, address: string, note = ''): unknown {
  if (!(error instanceof TransportFailure)) return error;
  return new SpawnError('SERVER_UNREACHABLE', { address, why: `${error.message}${note}` }, { cause: error });
}

/** Doubles from 20 ms to 1 s, each time a random half shorter at most, so that many clients do not come back at once. */
export function delayMs(failures: number): number {
  const full = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures);
  return full * (0.5 + Math.random() / 2);
}

/** Rejects with the signal's reason when it fires meanwhile. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}
