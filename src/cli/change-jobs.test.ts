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

describe('update', () => {
  test.each([
    ['4', { throttle: 4 }, 'job 12: throttle 4\n'],
    ['0', { throttle: 0 }, 'job 12: no throttle\n'],
  ])('--throttle %s', async (value, request, out) => {
    const update = async (_: string, { throttle }: { throttle?: number }) => ({
      job: aJob({ throttle: throttle! }),
      tasks: 0,
    });
    expect(await runCli(['update', '12', '--throttle', value], { client: { update } })).toMatchObject({
      code: 0,
      out,
      calls: [['update', '12', request]],
    });
  });

  test.each([
    [['12'], 'update: expected something to change (--throttle), found nothing'],
    [['12_3', '--throttle', '4'], 'update: expected a whole job, as 12 or a name, found "12_3"'],
    [['12', '--throttle', '-1'], '--throttle: expected a whole number from 0 to 1000000000, found "-1"'],
  ])('refuses %j', async (words, message) => {
    expect(await runCli(['update', ...words])).toMatchObject({ code: 2, err: `spawn: ${message}\n`, calls: [] });
  });
});
