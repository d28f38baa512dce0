import { expect, test } from 'vitest';
import { aFailure, aJob, aSummary, aTask, someCounts } from '../../../test/support/cli-world.ts';
import { summaryText } from './summary-text.ts';

const style = { now: 4_000, colour: false, columns: 100 };

test('a job that runs: counts, rate, time left, what failed and what takes long', () => {
  const counts = someCounts({ completed: 30, failed: 10, running: 2, ready: 58 });
  const job = aJob({
    size: 100,
    state: 'running',
    counts,
    createdAt: 0,
    startedAt: 0,
    throttle: 2,
    retried: 4,
    meanWallMs: 512,
    gpus: 0.5,
    resources: { licence: 1 },
    timeLimitMs: 60_000,
    beginAt: 1_000,
    deadlineAt: 64_000,
    canary: 'passed',
  });
  const summary = aSummary(job, {
    ratePerSecond: 10,
    etaAt: 10_000,
    retriedTasks: 3,
    failures: [
      aFailure({ tasks: 9, message: 'No such file: <path>' }),
      { cause: 'signal', signal: 9, outcome: 'SIGKILL (9)', tasks: 1, estimated: true, example: '12_4', indices: '4' },
    ],
    slowest: [aTask(3, { wallMs: 2_000, outcome: 'exit 0', state: 'completed' })],
    longestRunning: [aTask(9, { startedAt: 1_000, worker: 'w1', state: 'running' })],
  });
  expect(summaryText(summary, style)).toBe(
    [
      'Job 12: fit (fit-20261121-ab12cd)',
      '  state      running',
      '  tasks      100: 30 completed, 10 failed, 2 running, 58 ready',
      '  throttle   2 at once',
      '  needs      1 CPU, 0.5 GPUs, licence=1, 1m00s at most',
      '  canary     passed',
      '  begin      1970-01-01T00:00:01.000Z',
      '  deadline   1970-01-01T00:01:04.000Z, in 1m00s',
      '  submitted  1970-01-01T00:00:00.000Z',
      '  elapsed    4.0s',
      '  rate       10/s',
      '  left       about 6.0s, until 1970-01-01T00:00:10.000Z',
      '  mean time  512ms a task',
      '  retried    4 attempts of 3 tasks',
      '  command    run.sh',
      '  directory  /home/ada',
      'Failures',
      '        9  exit 3       [1,5]  No such file: <path>',
      '  about 1  SIGKILL (9)  [4]',
      'Slowest',
      '  12_3  2.0s  exit 0',
      'Running longest',
      '  12_9  3.0s  on w1',
      'See: spawn logs 12_1',
      '',
    ].join('\n'),
  );
});

test('a job that has ended: its time, and no time left', () => {
  const job = aJob({
    state: 'completed',
    counts: someCounts({ completed: 10 }),
    createdAt: 0,
    startedAt: 0,
    endedAt: 5_000,
    exitCode: 0,
  });
  const text = summaryText(aSummary(job, { etaAt: 9_000 }), { ...style, now: 1e9 });
  expect(text).toContain('  elapsed    5.0s\n');
  expect(text).toContain('  exit code  0\n');
  expect(text).not.toContain('left');
});

test('text of others cannot break the sheet', () => {
  const failures = [aFailure({ message: 'a\nb\x1b[2J', indices: '1-9' })];
  const text = summaryText(aSummary(aJob({ command: 'sh -c "a\nb\x1b[2J"' }), { failures }), style);
  expect(text).toContain('  command    sh -c "a\\nb·[2J"\n');
  expect(text).toContain('  2  exit 3  [1-9]  a\\nb·[2J\n');
});
