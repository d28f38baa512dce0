import { isOk, type Outcome, outcomeText } from './outcome.ts';
import type { EndDisposition } from './task-state.ts';

export interface RetryPolicy {
  /** How many failed attempts are followed by another one. Default 0. */
  readonly retries: number;
  /** Time from the failure to the next attempt, in ms. Default 0. */
  readonly delayMs: number;
  /** How many workers a task may lose; with the last it fails, so that a task that kills its machine stops. Default 5. */
  readonly crashLimit: number;
}

export const DEFAULT_RETRY_POLICY: RetryPolicy = { retries: 0, delayMs: 0, crashLimit: 5 };

export interface AttemptEnd {
  readonly outcome: Outcome;
  /** Failed attempts and lost workers of the task before this one, since the last retry by hand. */
  readonly failures: number;
  readonly losses: number;
  readonly policy: RetryPolicy;
  readonly cancelRequested: boolean;
  readonly requeueRequested: boolean;
}

export interface EndDecision {
  readonly disposition: EndDisposition;
  readonly failures: number;
  readonly losses: number;
  /** From the end of this attempt until the next may start. 0 when there is no next one. */
  readonly retryAfterMs: number;
  /** Why it failed for good. */
  readonly reason?: string;
}

/** What follows the end of an attempt. A cancelled task is never retried; preemptions and requeues count nothing. */
export function decideEnd(end: AttemptEnd): EndDecision {
  const { outcome, failures, losses, policy } = end;
  const unchanged = { failures, losses, retryAfterMs: 0 };
  if (end.cancelRequested) return { disposition: 'cancelled', ...unchanged };
  if (end.requeueRequested) return { disposition: 'requeue', ...unchanged };
  if (isOk(outcome)) return { disposition: 'completed', ...unchanged };
  switch (outcome.kind) {
    case 'cancelled':
      return { disposition: 'cancelled', ...unchanged };
    case 'preempted':
      return { disposition: 'retry', ...unchanged };
    case 'lost': {
      const counted = { ...unchanged, losses: losses + 1 };
      if (counted.losses < policy.crashLimit) return { disposition: 'retry', ...counted };
      const reason = `lost its worker ${counted.losses} times (crash limit ${policy.crashLimit})`;
      return { disposition: 'failed', ...counted, reason };
    }
    case 'exited':
    case 'signalled':
    case 'timedOut':
    case 'outOfMemory': {
      const counted = { ...unchanged, failures: failures + 1 };
      if (counted.failures <= policy.retries) {
        return { disposition: 'retry', ...counted, retryAfterMs: policy.delayMs };
      }
      return { disposition: 'failed', ...counted, reason: outcomeText(outcome) };
    }
  }
}
