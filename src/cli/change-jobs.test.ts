import { describe, expect, test } from 'vitest';
import { aJob, runCli } from '../../test/support/cli-world.ts';
import { SpawnError } from '../core/errors.ts';

const reply = (tasks: number) => async (ref: string) => ({ job: aJob({ id: Number(ref) }), tasks });

describe.each([
  ['cancel', '3 tasks cancelled'],
  ['retry', '3 tasks to run again'],
  ['requeue', '3 tasks sent back'],
  ['hold', '3 tasks held'],
  ['release', '3 tasks released'],
  ['suspend', '3 tasks suspended'],
  ['resume', '3 tasks resumed'],
] as const)('%s', (verb, words) => {
  test('does it to each job or task, in order', async () => {
    const ran = await runCli([verb, '12', '13_[2,4-5]'], { client: { [verb]: reply(3) } });
    expect(ran).toEqual({
      code: 0,
      out: `job 12: ${words}\njob 13: ${words}\n`,
      err: '',
      calls: [
        [verb, '12', {}],
        [verb, '13', { index: '2,4-5' }],
      ],
    });
  });

  test('--index narrows every job', async () => {
    const { calls } = await runCli([verb, '12', '13', '--index', '4'], { client: { [verb]: reply(1) } });
    expect(calls).toEqual([
      [verb, '12', { index: '4' }],
      [verb, '13', { index: '4' }],
    ]);
  });

  test('changes nothing when one of the names is none', async () => {
    const ran = await runCli([verb, '12', '13_'], {});
    expect(ran).toMatchObject({ code: 2, calls: [] });
    expect(ran.err).toMatch(new RegExp(`^spawn: ${verb}: job, column 4: expected`));
  });
});

test('goes on after one that failed, and exits with the worst code', async () => {
  const cancel = async (ref: string) => {
    if (ref === '12') throw new SpawnError('JOB_NOT_FOUND', { ref });
    if (ref === '13') throw new SpawnError('JOB_ENDED', { ref, state: 'completed' });
    return { job: aJob({ id: 14 }), tasks: 0 };
  };
  expect(await runCli(['cancel', '12', '13', '14'], { client: { cancel } })).toMatchObject({
    code: 66,
    out: 'job 14: no task cancelled\n',
    err: 'spawn: job "12" not found\nspawn: job "13": expected one that has not ended, found completed\n',
  });
});

describe('signal', () => {
  test.each([
    [['-s', 'USR1'], { signal: 10 }],
    [['--signal', 'sigterm', '--main', '--index', '1-2'], { signal: 15, scope: 'main', index: '1-2' }],
    [['--signal', '64'], { signal: 64 }],
  ])('%j', async (words, request) => {
    const ran = await runCli(['signal', '12', ...words], { client: { signal: reply(2) } });
    expect(ran).toEqual({ code: 0, out: 'job 12: 2 tasks signalled\n', err: '', calls: [['signal', '12', request]] });
  });

  test.each([
    [[], 'signal: expected --signal SIG, found none'],
    [['--signal', 'FOO'], '--signal: expected USR1, SIGUSR1 or 10 (1 to 64), found "FOO"'],
    [['--signal', '65'], '--signal: expected USR1, SIGUSR1 or 10 (1 to 64), found "65"'],
    [['--signal', '0'], '--signal: expected USR1, SIGUSR1 or 10 (1 to 64), found "0"'],
  ])('refuses %j', async (words, message) => {
    expect(await runCli(['signal', '12', ...words], {})).toMatchObject({
      code: 2,
      err: `spawn: ${message}\n`,
      calls: [],
    });
  });
});

describe('which tasks', () => {
  test.each([
    [['--state', 'failed,running'], { state: 'failed,running' }],
    [['--where', 'exit=137,cause=oom'], { where: 'exit=137,cause=oom' }],
    [['--index', '1-3', '--where', 'signal=KILL'], { index: '1-3', where: 'signal=KILL' }],
  ])('%j', async (words, selection) => {
    const { calls } = await runCli(['requeue', '12', ...words], { client: { requeue: reply(1) } });
    expect(calls).toEqual([['requeue', '12', selection]]);
  });

  test('--name: every live job of it, on every page, oldest first', async () => {
    const pages = [{ jobs: [aJob({ id: 9 }), aJob({ id: 8 })], next: 8 }, { jobs: [aJob({ id: 5 })] }];
    const jobs = async ({ before }: { before?: number }) => pages[before === undefined ? 0 : 1];
    const ran = await runCli(['hold', '--name', 'fit', '--index', '2'], { client: { jobs, hold: reply(1) } });
    expect(ran.out).toBe('job 5: 1 task held\njob 8: 1 task held\njob 9: 1 task held\n');
    expect(ran.calls).toEqual([
      ['jobs', { show: 'live', name: 'fit', limit: 1_000 }],
      ['jobs', { show: 'live', name: 'fit', limit: 1_000, before: 8 }],
      ['hold', '5', { index: '2' }],
      ['hold', '8', { index: '2' }],
      ['hold', '9', { index: '2' }],
    ]);
  });

  test('--name that no live job has', async () => {
    const ran = await runCli(['cancel', '--name', 'fit'], { client: { jobs: async () => ({ jobs: [] }) } });
    expect(ran).toMatchObject({ code: 66, err: 'spawn: job "fit" not found\n' });
  });

  test.each([
    [['cancel'], 'cancel: expected JOB|TASK or --name, found nothing; see: spawn help cancel'],
    [['cancel', '12', '--name', 'fit'], 'cancel: expected JOB|TASK or --name, found "12" and --name'],
    [['cancel', '12_3', '--index', '1'], 'cancel: expected a whole job with --index, found tasks of job 12'],
    [['retry', '12', '--failed', '--state', 'failed'], 'retry: expected --failed or --state, found both'],
    [['retry', '12', '--memory', 'x0'], '--memory: expected x and a number above 0 and up to 1000, found "x0"'],
    [
      ['retry', '12', '--time-limit', 'x2h'],
      '--time-limit: expected x and a number above 0 and up to 1000, found "x2h"',
    ],
  ])('refuses %j', async (words, message) => {
    expect(await runCli(words)).toMatchObject({ code: 2, err: `spawn: ${message}\n`, calls: [] });
  });
});

test('what only the coordinator finds wrong is told with the option', async () => {
  const retry = async () => {
    throw new SpawnError('BAD_REQUEST', {
      where: 'timeLimitTimes',
      expected: 'tasks with a time limit',
      found: 'none',
    });
  };
  const ran = await runCli(['retry', '12', '--time-limit', 'x2'], { client: { retry } });
  expect(ran).toMatchObject({ code: 2, err: 'spawn: --time-limit: expected tasks with a time limit, found "none"\n' });
});

test.each([
  [['--failed'], { state: 'failed,cancelled' }],
  [['--memory', 'x2'], { memoryTimes: 2 }],
  [['--memory', '4G'], { memoryBytes: 4 * 1024 ** 3 }],
  [['--time-limit', 'x1.5', '--where', 'time-limit'], { timeLimitTimes: 1.5, where: 'time-limit' }],
  [['--time-limit', '2h'], { timeLimitMs: 7_200_000 }],
])('retry %j', async (words, request) => {
  const { calls } = await runCli(['retry', '12', ...words], { client: { retry: reply(1) } });
  expect(calls).toEqual([['retry', '12', request]]);
});

describe('update', () => {
  test.each([
    [['--throttle', '4'], { throttle: 4 }, 'throttle 4'],
    [['--throttle', '0'], { throttle: 0 }, 'no throttle'],
    [['--priority', '-3'], { priority: -3 }, 'priority -3'],
    [['--time-limit', '2h'], { timeLimitMs: 7_200_000 }, 'time limit 2h'],
    [['--time-limit', '0'], { timeLimitMs: 0 }, 'no time limit'],
    [['--memory', '4G'], { memoryBytes: 4 * 1024 ** 3 }, 'memory limit 4G'],
    [['--after', 'afterok:3'], { after: 'afterok:3' }, 'dependency afterok:3'],
    [['--after', 'none'], { after: '' }, 'no dependency'],
    [['--begin', 'now+1h'], { beginInMs: 3_600_000 }, 'begin in 1h'],
    [['--begin', 'none'], { beginAt: null }, 'no begin'],
    [['--deadline', '2027-01-01T00:00Z'], { deadlineAt: Date.UTC(2027, 0, 1) }, 'deadline 2027-01-01T00:00:00.000Z'],
    [['--deadline', 'none'], { deadlineAt: null }, 'no deadline'],
    [['--max-failures', '3'], { maxFailures: 3 }, 'max failures 3'],
    [['--max-failures', 'none', '--priority', '1'], { maxFailures: null, priority: 1 }, 'priority 1, no max failures'],
  ])('%j', async (words, request, told) => {
    const update = async () => ({ job: aJob(), tasks: 10 });
    expect(await runCli(['update', '12', ...words], { client: { update } })).toMatchObject({
      code: 0,
      out: `job 12: ${told}\n`,
      calls: [['update', '12', request]],
    });
  });

  test.each([[['12_[3,5]']], [['12', '--index', '3,5']]])('some tasks: %j', async (words) => {
    const update = async () => ({ job: aJob(), tasks: 2 });
    const ran = await runCli(['update', ...words, '--priority', '5'], { client: { update } });
    expect(ran.calls).toEqual([['update', '12', { priority: 5, index: '3,5' }]]);
    expect(ran.out).toBe('job 12: 2 tasks: priority 5\n');
  });

  test.each([
    [
      ['12'],
      'update: expected something to change, as --throttle or --priority, found nothing; see: spawn help update',
    ],
    [['12_3', '--throttle', '4'], 'update: --throttle: expected a whole job, found tasks of job 12'],
    [['12_3', '--deadline', 'none'], 'update: --deadline: expected a whole job, found tasks of job 12'],
    [['12', '--throttle', '-1'], '--throttle: expected a whole number from 0 to 1000000000, found "-1"'],
  ])('refuses %j', async (words, message) => {
    expect(await runCli(['update', ...words])).toMatchObject({ code: 2, err: `spawn: ${message}\n`, calls: [] });
  });
});
