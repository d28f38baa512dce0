import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeOutcome,
  encodeOutcome,
  exitCodeOf,
  isOk,
  OUTCOME_KINDS,
  OUTCOME_VALUES,
  type Outcome,
  outcomeText,
  processEndOf,
  signalNamed,
  withoutProcess,
} from './outcome.ts';

const CASES: [Outcome, encoded: number, text: string, exitCode: number][] = [
  [{ kind: 'exited', code: 0 }, 0, 'exit 0', 0],
  [{ kind: 'exited', code: 3 }, 3, 'exit 3', 3],
  [{ kind: 'exited', code: 255 }, 255, 'exit 255', 255],
  [{ kind: 'signalled', signal: 1 }, 257, 'SIGHUP (1)', 129],
  [{ kind: 'signalled', signal: 9 }, 265, 'SIGKILL (9)', 137],
  [{ kind: 'signalled', signal: 11 }, 267, 'SIGSEGV (11)', 139],
  [{ kind: 'signalled', signal: 15 }, 271, 'SIGTERM (15)', 143],
  [{ kind: 'signalled', signal: 31 }, 287, 'SIGSYS (31)', 159],
  [{ kind: 'signalled', signal: 40 }, 296, 'signal 40', 168],
  [{ kind: 'timedOut' }, 512, 'time limit', 124],
  [{ kind: 'outOfMemory' }, 768, 'out of memory', 1],
  [{ kind: 'cancelled' }, 1024, 'cancelled', 1],
  [{ kind: 'preempted' }, 1280, 'preempted', 1],
  [{ kind: 'lost' }, 1536, 'worker lost', 1],
  [{ kind: 'timedOut', exit: { kind: 'exited', code: 7 } }, 1799, 'time limit', 124],
  [{ kind: 'timedOut', exit: { kind: 'signalled', signal: 15 } }, 2063, 'time limit', 124],
  [{ kind: 'cancelled', exit: { kind: 'exited', code: 0 } }, 2304, 'cancelled', 1],
  [{ kind: 'cancelled', exit: { kind: 'signalled', signal: 9 } }, 2569, 'cancelled', 1],
  [{ kind: 'exited', code: 126, isUnstarted: true }, 2942, 'exit 126', 126],
  [{ kind: 'stalled' }, 3072, 'no progress', 124],
  [{ kind: 'stalled', exit: { kind: 'exited', code: 7 } }, 3335, 'no progress', 124],
  [{ kind: 'stalled', exit: { kind: 'signalled', signal: 9 } }, 3593, 'no progress', 124],
];

describe('outcomes', () => {
  it.each(CASES)('%j', (outcome, encoded, text, exitCode) => {
    expect(encodeOutcome(outcome)).toBe(encoded);
    expect(decodeOutcome(encoded)).toEqual(outcome);
    expect(outcomeText(outcome)).toBe(text);
    expect(exitCodeOf(outcome)).toBe(exitCode);
    expect(isOk(outcome)).toBe(encoded === 0);
  });

  it.each(CASES)('%j without its process is one of the plain kinds', (outcome, encoded) => {
    const plain = decodeOutcome(withoutProcess(encoded));
    expect(plain.kind).toBe(outcome.kind);
    expect([0, 1, 2, 3, 4, 5, 6, 12]).toContain(withoutProcess(encoded) >> 8);
    const isUnstarted = 'isUnstarted' in outcome;
    const own = !isUnstarted && (outcome.kind === 'exited' || outcome.kind === 'signalled');
    const shown = isUnstarted ? { kind: 'exited', code: outcome.code } : { kind: outcome.kind };
    expect(plain).toEqual(own ? outcome : shown);
    expect(processEndOf(outcome)).toEqual(own ? outcome : 'exit' in outcome ? outcome.exit : undefined);
  });

  it('fit 16 bits and come back', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const outcome: fc.Arbitrary<Outcome> = fc.oneof(
      byte.map((code) => ({ kind: 'exited', code }) as const),
      byte.map((signal) => ({ kind: 'signalled', signal }) as const),
      byte.map((code) => ({ kind: 'exited', code, isUnstarted: true }) as const),
      byte.map((code) => ({ kind: 'cancelled', exit: { kind: 'exited', code } }) as const),
      byte.map((signal) => ({ kind: 'timedOut', exit: { kind: 'signalled', signal } }) as const),
      byte.map((signal) => ({ kind: 'stalled', exit: { kind: 'signalled', signal } }) as const),
    );
    fc.assert(
      fc.property(outcome, (o) => {
        expect(encodeOutcome(o)).toBeLessThan(OUTCOME_VALUES);
        expect(decodeOutcome(encodeOutcome(o))).toEqual(o);
      }),
    );
  });

  it('cover every kind', () => {
    expect(new Set(CASES.map(([{ kind }]) => kind))).toEqual(new Set(OUTCOME_KINDS));
  });

  it.each([-1, 256, 1.5, Number.NaN])('of %d are a bug', (code) => {
    expect(() => encodeOutcome({ kind: 'exited', code })).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  });

  it('of an unknown kind are a bug', () => {
    expect(() => decodeOutcome(15 * 256)).toThrow('internal error: outcome 3840 is of an unknown kind');
  });
});

describe('signalNamed', () => {
  it.each([
    ['KILL', 9],
    ['SIGKILL', 9],
    ['sigterm', 15],
    ['9', 9],
    ['64', 64],
    ['0', undefined],
    ['65', undefined],
    ['SIGWHAT', undefined],
    ['', undefined],
    ['-9', undefined],
  ])('%j is %s', (text, signal) => {
    expect(signalNamed(text)).toBe(signal);
  });

  it('reads what outcomeText writes', () => {
    for (let signal = 1; signal < 32; signal++) {
      expect(signalNamed(outcomeText({ kind: 'signalled', signal }).split(' ')[0]!)).toBe(signal);
    }
  });
});
