import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRetryFilter } from './failure-filter.ts';
import type { Outcome } from './outcome.ts';
import { type AttemptEnd, DEFAULT_RETRY_POLICY, decideEnd, type RetryPolicy, retryDelay } from './retry.ts';
import { TaskReason } from './task-table.ts';

function end(outcome: Outcome, more: Partial<AttemptEnd> = {}): AttemptEnd {
  return {
    outcome,
    failures: 0,
    losses: 0,
    policy: DEFAULT_RETRY_POLICY,
    chance: 0,
    cancelRequested: false,
    requeueRequested: false,
    ...more,
  };
}

const OK: Outcome = { kind: 'exited', code: 0 };
const EXIT_3: Outcome = { kind: 'exited', code: 3 };
const LOST: Outcome = { kind: 'lost' };
const TWO_RETRIES = { ...DEFAULT_RETRY_POLICY, retries: 2, delayMs: 500 };

describe('decideEnd', () => {
  it('tries nothing again that was lost or preempted where it may not be requeued', () => {
    const policy = { ...TWO_RETRIES, requeue: false };
    expect(decideEnd(end(LOST, { policy }))).toMatchObject({
      disposition: 'failed',
      losses: 1,
      reason: TaskReason.crashLimit,
    });
    expect(decideEnd(end({ kind: 'preempted' }, { policy }))).toMatchObject({
      disposition: 'failed',
      losses: 0,
      reason: TaskReason.notRetried,
    });
    expect(decideEnd(end(EXIT_3, { policy })).disposition).toBe('retry');
  });

  it('completes what exited 0', () => {
    expect(decideEnd(end(OK, { failures: 2, losses: 1 }))).toEqual({
      disposition: 'completed',
      failures: 2,
      losses: 1,
      retryAfterMs: 0,
      reason: TaskReason.none,
    });
  });

  it.each<Outcome>([EXIT_3, { kind: 'signalled', signal: 9 }, { kind: 'timedOut' }, { kind: 'outOfMemory' }])(
    'retries %j after the delay as often as the policy says',
    (outcome) => {
      expect(decideEnd(end(outcome, { failures: 1, policy: TWO_RETRIES }))).toEqual({
        disposition: 'retry',
        failures: 2,
        losses: 0,
        retryAfterMs: 500,
        reason: TaskReason.none,
      });
      expect(decideEnd(end(outcome, { failures: 2, policy: TWO_RETRIES }))).toEqual({
        disposition: 'failed',
        failures: 3,
        losses: 0,
        retryAfterMs: 0,
        reason: TaskReason.none,
      });
    },
  );

  it('does not retry by default', () => {
    expect(decideEnd(end(EXIT_3))).toMatchObject({ disposition: 'failed', failures: 1 });
  });

  it('runs a task again whose worker was lost, until the crash limit', () => {
    expect(decideEnd(end(LOST, { losses: 3 }))).toEqual({
      disposition: 'retry',
      failures: 0,
      losses: 4,
      retryAfterMs: 0,
      reason: TaskReason.none,
    });
    expect(decideEnd(end(LOST, { losses: 4 }))).toEqual({
      disposition: 'failed',
      failures: 0,
      losses: 5,
      retryAfterMs: 0,
      reason: TaskReason.crashLimit,
    });
  });

  it('counts no preemption', () => {
    expect(decideEnd(end({ kind: 'preempted' }, { failures: 9, losses: 9 }))).toEqual({
      disposition: 'retry',
      failures: 9,
      losses: 9,
      retryAfterMs: 0,
      reason: TaskReason.none,
    });
  });

  it('cancels what its worker cancelled, as by a deadline', () => {
    expect(decideEnd(end({ kind: 'cancelled' }, { policy: TWO_RETRIES }))).toMatchObject({ disposition: 'cancelled' });
  });

  const OUTCOMES: Outcome[] = [
    OK,
    EXIT_3,
    { kind: 'signalled', signal: 15 },
    { kind: 'timedOut' },
    { kind: 'outOfMemory' },
    { kind: 'cancelled' },
    { kind: 'preempted' },
    LOST,
  ];

  it.each(OUTCOMES)('a cancel or requeue that was asked for decides, and counts nothing: %j', (outcome) => {
    const unchanged = { failures: 1, losses: 2, retryAfterMs: 0, reason: TaskReason.none };
    const asked = { failures: 1, losses: 2, policy: TWO_RETRIES, requeueRequested: true };
    expect(decideEnd(end(outcome, asked))).toEqual({ disposition: 'requeue', ...unchanged });
    expect(decideEnd(end(outcome, { ...asked, cancelRequested: true }))).toEqual({
      disposition: 'cancelled',
      ...unchanged,
    });
  });

  it('makes a life as a model of the three counters says', () => {
    const policy = fc
      .record({ retries: fc.nat(4), delayMs: fc.nat(1000), crashLimit: fc.integer({ min: 1, max: 4 }) })
      .map((limits) => ({ ...DEFAULT_RETRY_POLICY, ...limits }));
    const bad = fc.constantFrom(...OUTCOMES.filter((o) => o !== OK && o.kind !== 'cancelled'));
    fc.assert(
      fc.property(policy, fc.array(bad, { maxLength: 20 }), (limits, outcomes) => {
        let [failures, losses] = [0, 0];
        let lived = 0;
        for (const outcome of outcomes) {
          const decision = decideEnd(end(outcome, { failures, losses, policy: limits }));
          ({ failures, losses } = decision);
          lived += 1;
          if (decision.disposition === 'failed') break;
          expect(decision.disposition).toBe('retry');
        }
        const past = outcomes.slice(0, lived);
        const lost = past.filter((o) => o.kind === 'lost').length;
        const failed = past.filter((o) => o.kind !== 'lost' && o.kind !== 'preempted').length;
        expect([failures, losses]).toEqual([failed, lost]);
        const over = failed > limits.retries || lost >= limits.crashLimit;
        expect(lived < outcomes.length ? over : true).toBe(true);
        expect(over || lived === outcomes.length).toBe(true);
      }),
    );
  });
});

describe('which failures are tried again', () => {
  const only = (retryOn: string | null, noRetryOn: string | null): RetryPolicy => ({
    ...TWO_RETRIES,
    retryOn: retryOn === null ? null : parseRetryFilter(retryOn),
    noRetryOn: noRetryOn === null ? null : parseRetryFilter(noRetryOn),
  });

  it.each<[string | null, string | null, Outcome, boolean]>([
    ['3', null, EXIT_3, true],
    ['4', null, EXIT_3, false],
    [null, '3', EXIT_3, false],
    [null, '4', EXIT_3, true],
    ['1-9', '3', EXIT_3, false],
    ['exit=137', null, { kind: 'signalled', signal: 9 }, false],
    ['SIGKILL', null, { kind: 'exited', code: 137 }, false],
    ['oom', 'time-limit', { kind: 'outOfMemory' }, true],
    ['oom', null, { kind: 'timedOut' }, false],
  ])('retryOn %s, noRetryOn %s: %j', (retryOn, noRetryOn, outcome, retried) => {
    const decision = decideEnd(end(outcome, { policy: only(retryOn, noRetryOn) }));
    expect(decision).toEqual({
      disposition: retried ? 'retry' : 'failed',
      failures: 1,
      losses: 0,
      retryAfterMs: retried ? 500 : 0,
      reason: retried ? TaskReason.none : TaskReason.notRetried,
    });
  });

  it('gives no such reason when no tries were left', () => {
    const decision = decideEnd(end(EXIT_3, { failures: 2, policy: only('4', null) }));
    expect(decision).toMatchObject({ disposition: 'failed', reason: TaskReason.none });
  });

  it('has no say when the worker was lost or preempted', () => {
    for (const outcome of [LOST, { kind: 'preempted' }] as const) {
      expect(decideEnd(end(outcome, { policy: only('3', 'exit,signal') })).disposition).toBe('retry');
    }
  });
});

describe('retryDelay', () => {
  const exponential: RetryPolicy = { ...DEFAULT_RETRY_POLICY, delayMs: 1_000, backoff: 'exponential' };
  const delays = (policy: RetryPolicy, chance: number) => [1, 2, 3, 4, 5].map((n) => retryDelay(policy, n, chance));

  it('is the same each time, or doubles up to its bound', () => {
    expect(delays({ ...exponential, backoff: 'fixed', maxDelayMs: 1 }, 0.5)).toEqual([
      1_000, 1_000, 1_000, 1_000, 1_000,
    ]);
    expect(delays({ ...exponential, maxDelayMs: 5_000 }, 0.5)).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
  });

  it('is shorter or longer by chance, and never beyond its bound', () => {
    const policy = { ...exponential, maxDelayMs: 5_000, jitter: 0.2 };
    expect(delays(policy, 0)).toEqual([800, 1_600, 3_200, 4_000, 4_000]);
    expect(delays(policy, 1)).toEqual([1_200, 2_400, 4_800, 5_000, 5_000]);
    expect(retryDelay({ ...policy, backoff: 'fixed' }, 7, 1)).toBe(1_200);
    expect(retryDelay({ ...policy, backoff: 'fixed', maxDelayMs: 1_100 }, 7, 1)).toBe(1_100);
  });

  it('is bounded, and grows with chance and, without jitter, with each failure', () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    const policies = fc
      .record({
        delayMs: fc.nat(10_000_000),
        maxDelayMs: fc.nat(100_000_000),
        jitter: part,
        backoff: fc.constantFrom('fixed' as const, 'exponential' as const),
      })
      .map((some) => ({ ...DEFAULT_RETRY_POLICY, ...some }));
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 1_001 }), part, part, (policy, failures, a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)].map((chance) => retryDelay(policy, failures, chance));
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeGreaterThanOrEqual(low! * (1 - 1e-12));
        expect(high).toBeLessThanOrEqual(Math.max(policy.delayMs, policy.maxDelayMs) * (1 + 1e-12));
        const plain = { ...policy, jitter: 0 };
        expect(retryDelay(plain, failures + 1, a)).toBeGreaterThanOrEqual(retryDelay(plain, failures, b));
      }),
    );
  });
});
