import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome } from './outcome.ts';
import { type AttemptEnd, DEFAULT_RETRY_POLICY, decideEnd } from './retry.ts';

function end(outcome: Outcome, more: Partial<AttemptEnd> = {}): AttemptEnd {
  return {
    outcome,
    failures: 0,
    losses: 0,
    policy: DEFAULT_RETRY_POLICY,
    cancelRequested: false,
    requeueRequested: false,
    ...more,
  };
}

const OK: Outcome = { kind: 'exited', code: 0 };
const EXIT_3: Outcome = { kind: 'exited', code: 3 };
const LOST: Outcome = { kind: 'lost' };
const TWO_RETRIES = { retries: 2, delayMs: 500, crashLimit: 5 };

describe('decideEnd', () => {
  it('completes what exited 0', () => {
    expect(decideEnd(end(OK, { failures: 2, losses: 1 }))).toEqual({
      disposition: 'completed',
      failures: 2,
      losses: 1,
      retryAfterMs: 0,
    });
  });

  it.each<[Outcome, string]>([
    [EXIT_3, 'exit 3'],
    [{ kind: 'signalled', signal: 9 }, 'SIGKILL (9)'],
    [{ kind: 'timedOut' }, 'time limit'],
    [{ kind: 'outOfMemory' }, 'out of memory'],
  ])('retries %j after the delay as often as the policy says', (outcome, reason) => {
    expect(decideEnd(end(outcome, { failures: 1, policy: TWO_RETRIES }))).toEqual({
      disposition: 'retry',
      failures: 2,
      losses: 0,
      retryAfterMs: 500,
    });
    expect(decideEnd(end(outcome, { failures: 2, policy: TWO_RETRIES }))).toEqual({
      disposition: 'failed',
      failures: 3,
      losses: 0,
      retryAfterMs: 0,
      reason,
    });
  });

  it('does not retry by default', () => {
    expect(decideEnd(end(EXIT_3))).toMatchObject({ disposition: 'failed', failures: 1 });
  });

  it('runs a task again whose worker was lost, until the crash limit', () => {
    expect(decideEnd(end(LOST, { losses: 3 }))).toEqual({
      disposition: 'retry',
      failures: 0,
      losses: 4,
      retryAfterMs: 0,
    });
    expect(decideEnd(end(LOST, { losses: 4 }))).toEqual({
      disposition: 'failed',
      failures: 0,
      losses: 5,
      retryAfterMs: 0,
      reason: 'lost its worker 5 times (crash limit 5)',
    });
  });

  it('counts no preemption', () => {
    expect(decideEnd(end({ kind: 'preempted' }, { failures: 9, losses: 9 }))).toEqual({
      disposition: 'retry',
      failures: 9,
      losses: 9,
      retryAfterMs: 0,
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
    const unchanged = { failures: 1, losses: 2, retryAfterMs: 0 };
    const asked = { failures: 1, losses: 2, policy: TWO_RETRIES, requeueRequested: true };
    expect(decideEnd(end(outcome, asked))).toEqual({ disposition: 'requeue', ...unchanged });
    expect(decideEnd(end(outcome, { ...asked, cancelRequested: true }))).toEqual({
      disposition: 'cancelled',
      ...unchanged,
    });
  });

  it('makes a life as a model of the three counters says', () => {
    const policy = fc.record({ retries: fc.nat(4), delayMs: fc.nat(1000), crashLimit: fc.integer({ min: 1, max: 4 }) });
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
