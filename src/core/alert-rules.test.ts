import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coreJob } from '../../test/support/core-jobs.ts';
import {
  crosses,
  fitsPattern,
  happenings,
  mailEvents,
  NOTHING_YET,
  type Standing,
  standingOf,
  wantedAs,
} from './alert-rules.ts';
import { TaskState } from './task-state.ts';

const at = (parts: Partial<Standing>): Standing => ({ ...NOTHING_YET, size: 10, ...parts });

describe('what happened to a job', () => {
  test('is told of the difference alone', () => {
    const running = at({ started: true });
    expect(happenings(NOTHING_YET, at({}))).toEqual([]);
    expect(happenings(at({}), running)).toEqual(['start']);
    expect(happenings(running, running)).toEqual([]);
    expect(happenings(running, at({ started: true, failed: 2 }))).toEqual(['first_failure']);
    expect(happenings(at({ started: true, failed: 2 }), at({ started: true, failed: 3 }))).toEqual([]);
    const failed = at({ started: true, failed: 3, ended: 10, end: 'failed' });
    expect(happenings(NOTHING_YET, failed)).toEqual(['start', 'first_failure', 'failed']);
    expect(happenings(failed, failed)).toEqual([]);
    // It was retried.
    expect(happenings(failed, at({ started: true }))).toEqual([]);
  });

  test.each([
    ['completed', 'completed'],
    ['failed', 'failed'],
    ['cancelled', 'cancelled'],
    ['skipped', 'cancelled'],
  ] as const)('an end as %s is %s', (end, happening) => {
    expect(happenings(at({ started: true, failed: 1 }), at({ started: true, failed: 1, end }))).toEqual([happening]);
  });

  test('is read from the job', () => {
    const job = coreJob(1, { size: 4 });
    expect(standingOf(job)).toEqual({ started: false, size: 4, failed: 0, ended: 0, end: undefined });
    job.startedAt = 5;
    job.table.moveRun(0, 3, TaskState.ready, TaskState.leased);
    job.table.moveRun(0, 1, TaskState.leased, TaskState.failed);
    job.table.moveRun(1, 2, TaskState.leased, TaskState.completed);
    expect(standingOf(job)).toEqual({ started: true, size: 4, failed: 1, ended: 3, end: undefined });
    job.table.moveRun(3, 1, TaskState.ready, TaskState.cancelled);
    job.endedAt = 9;
    expect(standingOf(job)).toEqual({ started: true, size: 4, failed: 1, ended: 4, end: 'failed' });
  });
});

test('a rule wants what it names; ended and array_complete are any end', () => {
  expect(wantedAs(['start', 'failed'], 'failed')).toBe('failed');
  expect(wantedAs(['start', 'failed'], 'completed')).toBeUndefined();
  expect(['completed', 'failed', 'cancelled'].map((end) => wantedAs(['array_complete'], end))).toEqual(
    Array(3).fill('array_complete'),
  );
  expect(wantedAs(['ended'], 'cancelled')).toBe('ended');
  expect(wantedAs(['ended'], 'start')).toBeUndefined();
});

describe('a threshold', () => {
  const rows = [
    [{ failures: 3 }, { failed: 2 }, { failed: 3 }, true],
    [{ failures: 3 }, { failed: 3 }, { failed: 4 }, false],
    [{ failures: 3 }, { failed: 0 }, { failed: 2 }, false],
    [{ failedPart: 0.2 }, { failed: 1 }, { failed: 2 }, true],
    [{ failedPart: 0.2 }, { failed: 2 }, { failed: 9 }, false],
    [{ progress: 0.5 }, { ended: 4 }, { ended: 7 }, true],
    [{ progress: 1 }, { ended: 4 }, { ended: 9 }, false],
  ] as const;
  test.each(rows)('%j from %j to %j: %j', (threshold, before, after, told) => {
    expect(crosses(threshold, at(before), at(after))).toBe(told);
  });

  test('is not reached by a job of which nothing is known', () => {
    expect(crosses({ progress: 0.1 }, at({}), NOTHING_YET)).toBe(false);
    expect(crosses({ progress: 0.1 }, NOTHING_YET, at({ ended: 1 }))).toBe(true);
  });

  test('is told once while counts only grow, however they do', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 30 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 120 }),
        (steps, failures) => {
          let before = at({ size: 1_000 });
          let told = 0;
          for (const step of steps) {
            const after = at({ size: 1_000, failed: before.failed + step });
            if (crosses({ failures }, before, after)) told++;
            before = after;
          }
          expect(told).toBe(before.failed >= failures ? 1 : 0);
        },
      ),
    );
  });
});

test('patterns are as regular expressions made of them', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 6 });
  fc.assert(
    fc.property(pattern, text, (given, name) => {
      const reference = new RegExp(
        `^${given
          .split('*')
          .map((part) => part.replaceAll('.', '\\.'))
          .join('.*')}$`,
      );
      expect(fitsPattern(given, name)).toBe(reference.test(name));
    }),
    { numRuns: 2_000 },
  );
  expect(fitsPattern('fit-*-a', 'fit-a')).toBe(false);
  expect(fitsPattern('*b*b*', 'ab')).toBe(false);
  expect(fitsPattern('a*bc*c', 'abc')).toBe(false);
});

test.each([
  [['NONE'], []],
  [['BEGIN'], ['start']],
  [['END'], ['ended']],
  [['FAIL'], ['failed']],
  [['END', 'FAIL'], ['ended']],
  [['ALL'], ['start', 'ended']],
  [
    ['ALL', 'ARRAY_TASKS'],
    ['start', 'ended', 'task_failed'],
  ],
  [['END', 'ARRAY_TASKS'], ['ended']],
  [['TIME_LIMIT_80'], []],
])('mail of Slurm for %j is %j', (types, events) => {
  expect(mailEvents(types)).toEqual(events);
});
