import { expect, test } from 'vitest';
import { aJob, aServer, aTask, someCounts } from '../../../test/support/cli-world.ts';
import { jobStatus, serverStatus, taskStatus } from './status-text.ts';

test('a job that runs: counts, rate, time left, failures', () => {
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
  });
  expect(jobStatus(job, [aTask(3, { outcome: 'exit 1' })], 4_000, false)).toBe(
    [
      'Job 12: fit (fit-20261121-ab12cd)',
      '  state      running',
      '  tasks      100: 30 completed, 10 failed, 2 running, 58 ready',
      '  throttle   2 at once',
      '  submitted  1970-01-01T00:00:00.000Z',
      '  elapsed    4.0s',
      '  rate       10/s, about 6.0s left',
      '  mean time  512ms a task',
      '  retried    4 attempts',
      '  failures   12_3 (exit 1), …',
      '  command    run.sh',
      '  directory  /home/ada',
      '',
    ].join('\n'),
  );
});

test('a job that has ended: its time, and no time left', () => {
  const counts = someCounts({ completed: 10 });
  const job = aJob({ state: 'completed', counts, createdAt: 0, startedAt: 0, endedAt: 5_000, exitCode: 0 });
  const text = jobStatus(job, [], 1e9, false);
  expect(text).toContain('  elapsed    5.0s\n  rate       2.0/s\n');
  expect(text).toContain('  exit code  0\n');
});

test('text of others cannot break the sheet', () => {
  expect(jobStatus(aJob({ command: 'sh -c "a\nb\x1b[2J"' }), [], 0, false)).toContain(
    '  command    sh -c "a\\nb·[2J"\n',
  );
});

test('a task', () => {
  const task = aTask(7, {
    state: 'failed',
    attempt: 2,
    failures: 2,
    outcome: 'SIGKILL (9)',
    wallMs: 1_500,
    maxRssBytes: 2_048,
    cutBytes: 0,
    missingBytes: 10,
  });
  expect(taskStatus(task, false)).toBe(
    [
      'Task 12_7',
      '  state      failed',
      '  attempt    2',
      '  failures   2',
      '  end        SIGKILL (9)',
      '  wall time  1.5s',
      '  memory     2.0K',
      '  missing    10B',
      '',
    ].join('\n'),
  );
});

test('the coordinator, its workers and what is live', () => {
  const session = {
    id: 1,
    worker: 'w',
    host: 'h',
    pid: 1,
    resources: { cpus: 4, memoryBytes: 0 },
    freeCpus: 1,
    running: 3,
    leased: 0,
    connected: true,
    draining: false,
    openedAt: 0,
  };
  const server = aServer({ liveJobs: 3, writable: false, sessions: [session, { ...session, connected: false }] });
  expect(serverStatus(server, [aJob({ state: 'running' })], 65_000, false)).toBe(
    [
      'Coordinator 0.1.0 on lovelace (pid 4711)',
      '  up         1m05s',
      '  data       /home/ada/.local/share/spawn',
      '  store      refuses writes: no space left; reads go on',
      '  workers    1, 1 of 4 CPUs free, 3 tasks running',
      '  live jobs  3',
      '    12  fit  running  0/10',
      '    …  see: spawn list',
      '',
    ].join('\n'),
  );
});
