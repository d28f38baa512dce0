import { expect, test } from 'vitest';
import { aJob, aTask, someCounts } from '../../../test/support/cli-world.ts';
import { resultLine } from './result-line.ts';

const times = { createdAt: 0, startedAt: 1_000, endedAt: 4_200 };

test.each([
  [aJob({ ...times, state: 'completed', counts: someCounts({ completed: 10 }) }), 'job 12 completed: 10 tasks in 3.2s'],
  [
    aJob({ ...times, size: 1, state: 'completed', counts: someCounts({ completed: 1 }) }),
    'job 12 completed: 1 task in 3.2s',
  ],
  [
    aJob({ ...times, state: 'cancelled', counts: someCounts({ completed: 4, cancelled: 6 }) }),
    'job 12 cancelled: 4 completed, 6 cancelled in 3.2s',
  ],
  [aJob({ state: 'skipped', counts: someCounts({ skipped: 10 }) }), 'job 12 skipped: 10 tasks'],
])('%#', (job, expected) => {
  expect(resultLine(job, [])).toBe(expected);
});

test('names failed tasks and where to look', () => {
  const job = aJob({ ...times, state: 'failed', counts: someCounts({ completed: 7, failed: 3 }) });
  const failed = [aTask(5, { outcome: 'exit 3' }), aTask(9, { reason: 'crash limit' })];
  expect(resultLine(job, failed)).toBe(
    'job 12 failed: 7 completed, 3 failed in 3.2s: 12_5 (exit 3), 12_9 (crash limit), …; see: spawn logs 12_5',
  );
});
