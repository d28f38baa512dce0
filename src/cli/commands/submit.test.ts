import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aDelta, aJob, aTask, deltas, type RunOptions, runCli, someCounts } from '../../../test/support/cli-world.ts';
import { logBytes } from '../../../test/support/log-bytes.ts';
import type { SubmitRequestInput } from '../../api/job.ts';
import { SpawnError } from '../../core/errors.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-submit-'));
  writeFileSync(join(folder, 'run.sh'), '#!/bin/sh\necho hello\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const hash = (kind: string) => (kind === 'env' ? 'e' : 's').repeat(64);
const accepting: NonNullable<RunOptions['client']> = {
  putBlob: async (kind: string) => ({ hash: hash(kind) }),
  submit: async ({ dryRun }: SubmitRequestInput) => ({ job: aJob(), replayed: false, dryRun: dryRun ?? false }),
};

async function submit(words: readonly string[], options: RunOptions = {}) {
  const ran = await runCli(['submit', ...words], {
    ...options,
    client: { ...accepting, ...options.client },
    world: { cwd: folder, ...options.world },
  });
  const request = ran.calls.find(([name]) => name === 'submit')?.[1] as SubmitRequestInput | undefined;
  return { ...ran, request };
}

describe('what to run', () => {
  test('a script goes by its hash, with its name and arguments', async () => {
    const { request, calls } = await submit(['run.sh', '--hold', '--', 'x']);
    expect(request?.spec.run).toEqual({
      kind: 'script',
      hash: hash('script'),
      name: 'run.sh',
      args: ['--hold', '--', 'x'],
    });
    expect(request?.spec).not.toHaveProperty('hold');
    const [, , script] = calls.find(([name, kind]) => name === 'putBlob' && kind === 'script')!;
    expect(Buffer.from(script as Uint8Array).toString()).toBe('#!/bin/sh\necho hello\n');
  });

  test('a program after "--"', async () => {
    const { request } = await submit(['--', 'ls', '-l', '--array']);
    expect(request?.spec.run).toEqual({ kind: 'argv', argv: ['ls', '-l', '--array'] });
  });

  test('a line for the shell', async () => {
    const { request } = await submit(['--command', 'echo $HOME | wc']);
    expect(request?.spec.run).toEqual({ kind: 'shell', text: 'echo $HOME | wc' });
  });

  test.each([[[]], [['-', 'a', '-b']]])('a script on standard input: %j', async (words) => {
    const { request } = await submit(words, { stdin: 'echo typed' });
    expect(request?.spec.run).toEqual({ kind: 'script', hash: hash('script'), name: 'stdin', args: words.slice(1) });
  });
});

describe('options', () => {
  test.each([
    [['--array', '100'], { array: '0-99' }],
    [['--array', '100%8'], { array: '0-99', throttle: 8 }],
    [['--array', '0-99:2%10'], { array: '0-98:2', throttle: 10 }],
    [['--array', '7-9,3,8,1'], { array: '1,3,7-9' }],
    [['--name', 'fit'], { name: 'fit' }],
    [['--cpus', '0.5'], { cpus: 0.5 }],
    [['--memory', '2G'], { memoryBytes: 2 * 1024 ** 3 }],
    [['--time-limit', '1h30m'], { timeLimitMs: 5_400_000 }],
    [['--retries', '3', '--retry-delay', '10s'], { retries: 3, retryDelayMs: 10_000 }],
    [['--max-failures', '0'], { maxFailures: 0 }],
    [['--crash-limit', '9'], { crashLimit: 9 }],
    [['--after', 'afterok:12,after:13+5'], { after: 'afterok:12,after:13+5' }],
    [['--hold'], { hold: true }],
    [['--priority', '-5'], { priority: -5 }],
    [['--env', 'A=1=2', '--env', 'B='], { env: { A: '1=2', B: '' } }],
    [['--env', 'HOME'], { env: { HOME: '/home/ada' } }],
    [['--env', 'SPAWN_DATA_DIR=/x'], { env: { SPAWN_DATA_DIR: '/x' } }],
    [['--cwd', '/'], { cwd: '/' }],
  ])('%j', async (words, expected) => {
    const { request, code } = await submit([...words, '--', 'true']);
    expect(request?.spec).toMatchObject(expected);
    expect(code).toBe(0);
  });

  test('without any, nothing is decided here but where and with what environment', async () => {
    const { request } = await submit(['--', 'true']);
    expect(request?.spec).toEqual({
      run: { kind: 'argv', argv: ['true'] },
      cwd: folder,
      env: {},
      umask: 0o022,
      user: 'ada',
      envSnapshot: hash('env'),
    });
    expect(request?.idempotencyKey).toBeUndefined();
  });

  test('the environment is the whole one', async () => {
    const { calls } = await submit(['--', 'true'], { world: { env: { B: '2', A: '1', SLURM_JOB_ID: '7' } } });
    const [, , bytes] = calls.find(([name, kind]) => name === 'putBlob' && kind === 'env')!;
    expect(Buffer.from(bytes as Uint8Array).toString()).toBe('A=1\0B=2\0');
  });

  test('an idempotency key is passed on', async () => {
    const { request } = await submit(['--idempotency-key', 'k1', '--', 'true']);
    expect(request?.idempotencyKey).toBe('k1');
  });
});

describe('what it prints', () => {
  test.each([
    [[], 'Submitted job 12: fit, 10 tasks (array id fit-20261121-ab12cd)\n'],
    [['--quiet'], '12\n'],
    [['--dry-run'], 'Would submit fit, 10 tasks\n'],
    [['--dry-run', '--quiet'], ''],
  ])('%j', async (words, out) => {
    expect(await submit([...words, '--', 'true'])).toMatchObject({ code: 0, out, err: '' });
  });

  test('-o json: the job, flat', async () => {
    const { out } = await submit(['-o', 'json', '--', 'true']);
    expect(JSON.parse(out)).toMatchObject({ id: 12, array_id: 'fit-20261121-ab12cd', replayed: false, dry_run: false });
  });

  test('a job that was submitted before with this key', async () => {
    const client = { submit: async () => ({ job: aJob({ size: 1 }), replayed: true, dryRun: false }) };
    const { out } = await submit(['--idempotency-key', 'k', '--', 'true'], { client });
    expect(out).toBe('Submitted job 12 (before, with this key): fit, 1 task (array id fit-20261121-ab12cd)\n');
  });
});

describe('--wait', () => {
  const counts = someCounts({ completed: 9, failed: 1 });
  const ended = aJob({ state: 'failed', counts, startedAt: 0, endedAt: 2_000, exitCode: 3 });
  const client = {
    watch: deltas(aDelta(aJob()), 'lost', aDelta(ended)),
    job: async () => ended,
    tasks: async () => ({ tasks: [aTask(4, { outcome: 'exit 3' })] }),
  };

  test('gives the exit code of the job and its result', async () => {
    const watches = [deltas(aDelta(aJob()), 'lost'), deltas(aDelta(ended))];
    const ran = await submit(['--wait', '--', 'true'], { client: { ...client, watch: () => watches.shift()!() } });
    expect(ran).toMatchObject({
      code: 3,
      out: 'Submitted job 12: fit, 10 tasks (array id fit-20261121-ab12cd)\n',
      err: 'job 12 failed: 9 completed, 1 failed in 2.0s: 12_4 (exit 3); see: spawn logs 12_4\n',
    });
  });

  test('with --quiet prints the number alone', async () => {
    const ran = await submit(['--wait', '-q', '--', 'true'], { client: { ...client, watch: deltas(aDelta(ended)) } });
    expect(ran).toMatchObject({ code: 3, out: '12\n', err: '' });
  });

  test('with -o json prints the job as it ended, once', async () => {
    const ran = await submit(['--wait', '-o', 'json', '--', 'true'], {
      client: { ...client, watch: deltas(aDelta(ended)) },
    });
    expect(JSON.parse(ran.out)).toMatchObject({ id: 12, state: 'failed', exit_code: 3 });
  });

  test('that is interrupted leaves the job alone and says how to go on', async () => {
    const onInterrupt = (listener: (code: number) => void) => {
      queueMicrotask(() => listener(130));
      return () => {};
    };
    const watch = async function* (_: string, { signal }: { signal: AbortSignal }) {
      yield aDelta(aJob());
      if (!signal.aborted) await once(signal, 'abort');
      throw signal.reason;
    };
    const ran = await submit(['--wait', '--', 'true'], { client: { watch }, world: { onInterrupt } });
    expect(ran).toMatchObject({
      code: 130,
      err: 'spawn: job 12 goes on; spawn wait 12 waits again, spawn cancel 12 ends it\n',
    });
    expect(ran.calls.map(([name]) => name)).not.toContain('cancel');
  });

  test('an error that is no lost connection ends the wait', async () => {
    const watch = deltas();
    const failing = async function* () {
      yield* watch();
      throw new Error('out of ideas');
    };
    const ran = await submit(['--wait', '--', 'true'], { client: { watch: failing } });
    expect(ran).toMatchObject({ code: 70, err: 'spawn: internal error: out of ideas (SPAWN_DEBUG=1 shows where)\n' });
  });

  test('--follow shows the output and keeps standard output for it', async () => {
    const logs = async function* () {
      yield logBytes({ position: 2, data: 'hello\n' });
    };
    const ran = await submit(['--follow', '--', 'true'], { client: { ...client, watch: deltas(aDelta(ended)), logs } });
    expect(ran.code).toBe(3);
    expect(ran.out).toBe('[2] hello\n');
    expect(ran.err).toBe(
      'Submitted job 12: fit, 10 tasks (array id fit-20261121-ab12cd)\n' +
        'job 12 failed: 9 completed, 1 failed in 2.0s: 12_4 (exit 3); see: spawn logs 12_4\n',
    );
  });
});

test.each([
  [new SpawnError('ARRAY_TOO_LARGE', { size: 5, max: 3 }), '--array: array of 5 tasks: expected at most 3'],
  [new SpawnError('DEPENDENCY_SELF', { ref: 9 }), '--after: dependency: expected another job, found job 9 itself'],
])('%s from the coordinator names the option', async (error, message) => {
  const refuse = () => Promise.reject(error);
  expect(await submit(['--', 'x'], { client: { submit: refuse } })).toMatchObject({
    code: 2,
    err: `spawn: ${message}\n`,
  });
});

describe('refused before the coordinator is asked', () => {
  test.each([
    [['--dry-run', '--wait', '--', 'x'], 'submit: expected --dry-run or --wait, found both'],
    [['--dry-run', '--follow', '--', 'x'], 'submit: expected --dry-run or --follow, found both'],
    [['--quiet', '-o', 'json', '--', 'x'], 'submit: expected --quiet or -o json, found both'],
    [['--follow', '-o', 'json', '--', 'x'], 'submit: expected --follow or -o json, found both'],
    [['--follow', '--quiet', '--', 'x'], 'submit: expected --follow or --quiet, found both'],
    [['--retry-delay', '5s', '--', 'x'], 'submit: --retry-delay: expected --retries with it, found none'],
    [['--command', 'ls', 'run.sh'], 'submit: expected --command alone, found "run.sh" too'],
    [['--command', 'ls', '--', 'x'], 'submit: expected --command alone, found "x" too'],
    [['--command', 'ls', '--'], 'submit: expected --command alone, found "--" too'],
    [['--'], 'submit: expected a program after "--", found nothing'],
    [['--', ''], 'submit: expected a program after "--", found nothing'],
    [[''], 'submit: expected SCRIPT, found ""'],
    [['--env', '=x', '--', 'x'], '--env: expected K=V or K, found "=x"'],
    [
      ['--env', 'SPAWN_TASK_ID=1', '--', 'x'],
      '--env: expected a variable that spawn does not set for each task, found "SPAWN_TASK_ID=1"',
    ],
    [['--env', 'UNSET', '--', 'x'], '--env: expected a variable that is set here, or K=V, found "UNSET"'],
    [['--cwd', '/none', '--', 'x'], '--cwd: expected a directory that exists, found "/none"'],
    [['--cwd', '/dev/null', '--', 'x'], '--cwd: expected a directory, found "/dev/null"'],
    [['--idempotency-key', 'k'.repeat(201), '--', 'x'], '--idempotency-key: expected 1 to 200 characters, found 201'],
    [['--', 'x'.repeat(1_048_577)], 'submit: arguments: expected at most 1048576 bytes together, found 1048578'],
  ])('%.60j', async (words, message) => {
    expect(await submit(words)).toMatchObject({ code: 2, out: '', err: `spawn: ${message}\n`, calls: [] });
  });

  test('no script where standard input is a terminal', async () => {
    const { err, calls } = await submit([], { stdin: 'terminal' });
    expect(err).toBe(
      'spawn: submit: expected SCRIPT, "-- PROGRAM", --command or a script on standard input, found none; see: spawn help submit\n',
    );
    expect(calls).toEqual([]);
  });

  test('a script on standard input that is empty or too large', async () => {
    expect((await submit([], { stdin: '' })).err).toBe(
      'spawn: submit: standard input: expected a script, found nothing in it\n',
    );
    const large = await submit([], { stdin: new Uint8Array(16 * 1024 ** 2 + 1).fill(32) });
    expect(large).toMatchObject({ code: 2, calls: [] });
    expect(large.err).toBe(
      'spawn: script (standard input): expected at most 16777216 bytes, found more than 16777216\n',
    );
  });
});
