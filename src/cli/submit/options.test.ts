import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aJob, type RunOptions, runCli } from '../../../test/support/cli-world.ts';
import type { SubmitRequestInput } from '../../api/job.ts';
import { SpawnError } from '../../core/errors.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-submit-options-'));
  writeFileSync(join(folder, 'a.env'), 'A=file\nB=file\n');
  writeFileSync(join(folder, 'b.env'), 'B=second\nexport C="x y"\n');
  writeFileSync(join(folder, 'own.env'), '\nSPAWN_TASK_ID=secret\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

async function submit(words: readonly string[], options: RunOptions = {}) {
  const ran = await runCli(['submit', ...words, '--', 'x'], {
    ...options,
    client: {
      putBlob: async () => ({ hash: 'e'.repeat(64) }),
      submit: async () => ({ job: aJob(), replayed: false, dryRun: false }),
      ...options.client,
    },
    world: { cwd: folder, ...options.world },
  });
  const request = ran.calls.find(([name]) => name === 'submit')?.[1] as SubmitRequestInput | undefined;
  return { ...ran, spec: request?.spec };
}

const retries = ['--retries', '1', '--retry-delay', '1s'];

describe('taken', () => {
  test.each([
    [['--gpus', '2'], { gpus: 2 }],
    [['--gpus', '0.25'], { gpus: 0.25 }],
    [['--gpus', '0'], { gpus: 0 }],
    [['--exclusive'], { exclusive: true }],
    [['--tasks', '6', '--cpus', '2'], { gang: { tasks: 6, cpusPerTask: 2 }, cpus: 12 }],
    [['--nodes', '2'], { gang: { nodes: { min: 2, max: 2 }, cpusPerTask: 1 }, cpus: 2 }],
    [['--nodes', '2-3', '--tasks', '4'], { gang: { nodes: { min: 2, max: 3 }, tasks: 4, cpusPerTask: 1 }, cpus: 4 }],
    [['--resource', 'licence=1', '--resource', 'scratch=0.5'], { resources: { licence: 1, scratch: 0.5 } }],
    [[...retries, '--retry-backoff', 'exponential'], { retryBackoff: 'exponential' }],
    [[...retries, '--retry-jitter', '0.2'], { retryJitter: 0.2 }],
    [[...retries, '--retry-jitter', '20%'], { retryJitter: 0.2 }],
    [[...retries, '--retry-jitter', '100%'], { retryJitter: 1 }],
    [[...retries, '--retry-max-delay', '10m'], { retryMaxDelayMs: 600_000 }],
    [[...retries, '--retry-on', '1,100-110,SIGKILL,oom'], { retryOn: '1,100-110,SIGKILL,oom' }],
    [[...retries, '--no-retry-on', 'time-limit'], { noRetryOn: 'time-limit' }],
    [['--begin', 'now+1h'], { beginInMs: 3_600_000 }],
    [['--begin', '2027-01-31T18:00Z'], { beginAt: Date.UTC(2027, 0, 31, 18) }],
    [['--deadline', '2h'], { deadlineInMs: 7_200_000 }],
    [['--deadline', '2027-01-31T18:00:00+01:00'], { deadlineAt: Date.UTC(2027, 0, 31, 17) }],
    [['--begin', '1h', '--deadline', '2027-01-31'], { beginInMs: 3_600_000 }],
    [['--output', 'o/%a.txt', '--open-mode', 'append'], { outputPath: 'o/%a.txt', openMode: 'append' }],
    [['--error', '%4a.err'], { errorPath: '%4a.err' }],
    [['--input', 'in/%a.txt'], { inputPath: 'in/%a.txt' }],
    [['--time-limit', '1h', '--signal', 'USR1'], { signal: { number: 10, beforeMs: 60_000, mainOnly: false } }],
    [['--time-limit', '1h', '--signal', 'B:SIGTERM@90'], { signal: { number: 15, beforeMs: 90_000, mainOnly: true } }],
    [['--time-limit', '1h', '--signal', '2@1m30s'], { signal: { number: 2, beforeMs: 90_000, mainOnly: false } }],
    [['--canary', '3'], { canary: 3 }],
  ])('%j', async (words, part) => {
    expect((await submit(words)).spec).toMatchObject(part);
  });

  test('variables: files in their order, then --env', async () => {
    const { spec } = await submit(['--env', 'A=word', '--env-file', 'a.env', '--env-file', 'b.env']);
    expect(spec?.env).toEqual({ A: 'word', B: 'second', C: 'x y' });
  });

  test('what only the coordinator finds wrong is told with the option', async () => {
    const submitted = async () => {
      throw new SpawnError('BAD_REQUEST', { where: 'spec.deadlineAt', expected: 'a time in the future', found: 'x' });
    };
    const { code, err } = await submit(['--deadline', '2020-01-01'], { client: { submit: submitted } });
    expect({ code, err }).toEqual({ code: 2, err: 'spawn: --deadline: expected a time in the future, found "x"\n' });
  });

  test('a job that fits no worker is told of', async () => {
    const reason = 'no connected worker has 64 CPUs';
    const { err } = await submit([], {
      client: { submit: async () => ({ job: aJob({ reason }), replayed: false, dryRun: false }) },
    });
    expect(err).toBe(`spawn: note: job 12 waits: ${reason}\n`);
  });
});

const number = '--gpus: expected a whole number up to 1024, or a fraction below 1 with at most 4 decimals, found';
const name = '--resource: expected NAME=AMOUNT, the name a letter, then letters, digits, ".", "_" or "-", found';
const amount = '--resource: expected an amount from 0 to 1000000000000 with at most 4 decimals, found';
const signal = '--signal: expected [B:]SIGNAL[@SECONDS], the signal as USR1, SIGUSR1 or 10 (1 to 64), found';

describe('refused before a coordinator is asked', () => {
  test.each([
    [['--gpus', '1.5'], `${number} "1.5"`],
    [['--gpus', '-1'], `${number} "-1"`],
    [['--gpus', '0.00001'], `${number} "0.00001"`],
    [['--gpus', '1025'], `${number} "1025"`],
    [['--gpus', 'a100:2'], `${number} "a100:2"`],
    [['--nodes', '0'], '--nodes: expected a number of workers from 1 to 1000000, or N-M, found "0"'],
    [['--nodes', '3-2'], '--nodes: expected a number of workers from 1 to 1000000, or N-M, found "3-2"'],
    [['--tasks', '0'], '--tasks: expected a whole number from 1 to 1000000, found "0"'],
    [['--resource', 'licence'], `${name} "licence"`],
    [['--resource', '=1'], `${name} "=1"`],
    [['--resource', '1x=1'], `${name} "1x=1"`],
    [['--resource', 'x='], `${amount} "x="`],
    [['--resource', 'x=many'], `${amount} "x=many"`],
    [['--resource', 'x=0.00001'], `${amount} "x=0.00001"`],
    [['--resource', 'x=1', '--resource', 'x=2'], 'submit: --resource: expected x once, found twice'],
    [[...retries, '--retry-jitter', '2'], '--retry-jitter: expected a number from 0 to 1, or 0% to 100%, found "2"'],
    [
      [...retries, '--retry-jitter', '120%'],
      '--retry-jitter: expected a number from 0 to 1, or 0% to 100%, found "120%"',
    ],
    [[...retries, '--retry-backoff', 'linear'], '--retry-backoff: expected fixed or exponential, found "linear"'],
    [['--retries', '1', '--retry-jitter', '0.1'], 'submit: --retry-jitter: expected --retry-delay with it, found none'],
    [['--retry-on', '1'], 'submit: --retry-on: expected --retries with it, found none'],
    [['--no-retry-on', '1'], 'submit: --no-retry-on: expected --retries with it, found none'],
    [
      ['--begin', 'tomorrow'],
      '--begin: expected a time as 2027-01-31T18:00, 2027-01-31T18:00Z, now+1h or 1h, found "tomorrow"',
    ],
    [['--begin', '4000d'], '--begin: expected at most 3660d, found "4000d"'],
    [['--deadline', 'now'], '--deadline: expected a time that is to come, found "now"'],
    [['--begin', '2h', '--deadline', '1h'], 'submit: --deadline: expected a time after --begin, found none'],
    [
      ['--begin', '2027-01-02', '--deadline', '2027-01-01'],
      'submit: --deadline: expected a time after --begin, found none',
    ],
    [['--open-mode', 'append'], 'submit: --open-mode: expected --output or --error with it, found none'],
    [['--output', ''], '--output: expected a file name, found ""'],
    [['--input', ''], '--input: expected a file name, found ""'],
    [['--signal', 'USR1'], 'submit: --signal: expected --time-limit with it, found none'],
    [['--signal', 'FOO', '--time-limit', '1h'], `${signal} "FOO"`],
    [
      ['--signal', 'TERM@0', '--time-limit', '1h'],
      '--signal: expected at least 1 second before the time limit, found "TERM@0"',
    ],
    [
      ['--signal', 'TERM@1h', '--time-limit', '1h'],
      'submit: --signal: expected a time shorter than --time-limit, found one that is not',
    ],
    [['--canary', '0'], '--canary: expected a whole number from 1 to 10000, found "0"'],
    [['--env-file', 'none.env'], '--env-file: file "none.env" not found'],
    [
      ['--env-file', 'own.env'],
      'own.env:2: expected a variable that spawn does not set for each task, found "SPAWN_TASK_ID"',
    ],
  ])('%j', async (words, message) => {
    expect(await submit(words)).toMatchObject({ code: 2, out: '', err: `spawn: ${message}\n`, calls: [] });
  });

  test('what a filter says of its text keeps its caret', async () => {
    const { err, code } = await submit([...retries, '--retry-on', '1,oops']);
    expect(code).toBe(2);
    expect(err).toMatch(/^spawn: --retry-on: filter, column 3: expected .*, found "oops"\n {2}1,oops\n {4}\^\n$/);
  });
});
