import { type FailureFilter, matchesFailure } from './failure-filter.ts';
import { encodeOutcome, isOk, type Outcome, withoutProcess } from './outcome.ts';
import type { EndDisposition } from './task-state.ts';
import { TaskReason } from './task-table.ts';

export interface RetryPolicy {
  /** How many failed attempts are followed by another one. Default 0. */
  readonly retries: number;
  /** Time from the failure to the next attempt, in ms. Default 0. */
  readonly delayMs: number;
  /** Exponential: the delay doubles with each failure. Default fixed. */
  readonly backoff: 'fixed' | 'exponential';
  /** No delay grows beyond this, in ms; a `delayMs` that is larger stays what it is. Default 1 h. */
  readonly maxDelayMs: number;
  /** Each delay is up to this part of itself shorter or longer, 0 to 1. Default 0. */
  readonly jitter: number;
  /** The only failures that are tried again; null = all. */
  readonly retryOn: FailureFilter | null;
  /** Failures that are not tried again, whatever `retryOn` says; null = none. */
  readonly noRetryOn: FailureFilter | null;
  /** How many workers a task may lose; with the last it fails, so that a task that kills its machine stops. Default 5. */
  readonly crashLimit: number;
  /** False: an attempt that is lost or preempted is not followed by another. Default true. */
  readonly requeue: boolean;
}

export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  retries: 0,
  delayMs: 0,
  backoff: 'fixed',
  maxDelayMs: 3_600_000,
  jitter: 0,
  retryOn: null,
  noRetryOn: null,
  crashLimit: 5,
  requeue: true,
};

export interface AttemptEnd {
  readonly outcome: Outcome;
  /** Failed attempts and lost workers of the task before this one, since the last retry by hand. */
  readonly failures: number;
  readonly losses: number;
  readonly policy: RetryPolicy;
  /** 0 ≤ chance < 1: where between its shortest and its longest this delay is. */
  readonly chance: number;
  readonly cancelRequested: boolean;
  readonly requeueRequested: boolean;
}

export interface EndDecision {
  readonly disposition: EndDisposition;
  readonly failures: number;
  readonly losses: number;
  /** From the end of this attempt until the next may start. 0 when there is no next one. */
  readonly retryAfterMs: number;
  /** Why it failed for good, where its outcome alone does not say. */
  readonly reason: TaskReason;
}

/** How long after its n-th failure, counted from 1, a task is tried again, in ms. */
export function retryDelay(policy: RetryPolicy, failures: number, chance: number): number {
  const { delayMs, backoff, maxDelayMs, jitter } = policy;
  const most = Math.max(delayMs, maxDelayMs);
  const delay = Math.min(most, backoff === 'fixed' ? delayMs : delayMs * 2 ** (failures - 1));
  // What has reached the bound is made shorter only: cut off at it, half of all tasks would come back at the same moment.
  const shortest = delay * (1 - jitter);
  return shortest + chance * (Math.min(most, delay * (1 + jitter)) - shortest);
}

function isRetried({ retryOn, noRetryOn }: RetryPolicy, outcome: Outcome): boolean {
  const end = withoutProcess(encodeOutcome(outcome));
  if (noRetryOn !== null && matchesFailure(noRetryOn, end)) return false;
  return retryOn === null || matchesFailure(retryOn, end);
}

/** What follows the end of an attempt. A cancelled task is never retried; preemptions and requeues count nothing. */
export function decideEnd(end: AttemptEnd): EndDecision {
  const { outcome, failures, losses, policy } = end;
  const unchanged = { failures, losses, retryAfterMs: 0, reason: TaskReason.none };
  if (end.cancelRequested) return { disposition: 'cancelled', ...unchanged };
  if (end.requeueRequested) return { disposition: 'requeue', ...unchanged };
  if (isOk(outcome)) return { disposition: 'completed', ...unchanged };
  switch (outcome.kind) {
    case 'cancelled':
      return { disposition: 'cancelled', ...unchanged };
    case 'preempted':
      if (policy.requeue) return { disposition: 'retry', ...unchanged };
      return { disposition: 'failed', ...unchanged, reason: TaskReason.notRetried };
    case 'lost': {
      const counted = { ...unchanged, losses: losses + 1 };
      if (policy.requeue && counted.losses < policy.crashLimit) return { disposition: 'retry', ...counted };
      return { disposition: 'failed', ...counted, reason: TaskReason.crashLimit };
    }
    case 'exited':
    case 'signalled':
    case 'timedOut':
    case 'stalled':
    case 'outOfMemory': {
      const counted = { ...unchanged, failures: failures + 1 };
      if (counted.failures > policy.retries) return { disposition: 'failed', ...counted };
      if (!isRetried(policy, outcome)) return { disposition: 'failed', ...counted, reason: TaskReason.notRetried };
      return { disposition: 'retry', ...counted, retryAfterMs: retryDelay(policy, counted.failures, end.chance) };
    }
  }
}
