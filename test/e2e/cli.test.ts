import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeSandbox, type RunOptions, type Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

let box: Sandbox;
beforeAll(() => {
  box = makeSandbox();
});
afterAll(() => box.close());

const spawn = (...words: string[]) => box.spawn(words);

/** Submits, and gives the number of the job. */
async function submit(words: readonly string[], options?: RunOptions): Promise<string> {
  const ran = await box.spawn(['submit', '--quiet', ...words], options);
  expect(ran).toMatchObject({ code: 0 });
  return ran.out.trim();
}

// biome-ignore lint/suspicious/noExplicitAny: what a program reads from -o json
async function json(...words: string[]): Promise<any> {
  return JSON.parse((await spawn(...words, '-o', 'json')).out);
}

test('the first command starts a coordinator and says so; the next ones find it', async () => {
  expect(await spawn('server', 'status')).toMatchObject({ code: 3, out: 'not running\n', err: '' });
  const first = await spawn('jobs');
  expect(first).toMatchObject({ code: 0, out: '' });
  expect(first.err).toMatch(/^spawn: started a coordinator in the background \(pid \d+, data in .+\)\n$/);
  expect(await spawn('jobs')).toMatchObject({ code: 0, out: '', err: '' });
  expect(await spawn('server', 'status')).toMatchObject({ code: 0 });
});

describe('submit', () => {
  test('a script with arguments, which may change once it is submitted', async () => {
    const path = join(box.folder, 'args.sh');
    writeFileSync(path, '#!/bin/sh\nprintf "<%s>" "$0" "$@" | sed "s,<[^>]*/,<,"\n');
    const job = await submit(['--hold', 'args.sh', 'a b', '--hold', '', "it's"]);
    writeFileSync(path, '#!/bin/sh\necho changed\n');
    await spawn('release', job);
    expect((await spawn('wait', job)).code).toBe(0);
    expect((await spawn('logs', job)).out).toMatch(/<a b><--hold><><it's>$/);
  });

  test('a script on standard input, with another interpreter', async () => {
    const script = '#!/usr/bin/env -S awk -f\nBEGIN { print 6 * 7 }\n';
    const ran = await box.spawn(['submit', '--follow'], { input: script });
    expect(ran).toMatchObject({ code: 0, out: '42\n' });
  });

  test('runs where and with what it was submitted', async () => {
    const ran = await box.spawn(
      ['submit', '--follow', '--cwd', '/', '--env', 'B=given', '--command', 'pwd; echo "$A $B $C"; umask'],
      { env: { A: 'present', B: 'present', C: 'multi\nline', SLURM_JOB_ID: '99' } },
    );
    expect(ran.out).toBe('/\npresent given multi\nline\n0022\n');
  });

  test('a task that submits reaches the same coordinator, and is not taken for its own child', async () => {
    const self = `"${process.execPath}" "${join(process.cwd(), 'dist/bin/spawn.js')}"`;
    const inner = `${self} submit --cpus 0.5 --follow --command 'echo "task $SPAWN_TASK_ID"'`;
    const job = await submit(['--array', '3,5%1', '--cpus', '0.5', '--wait', '--command', inner]);
    const tasks = (await spawn('logs', job)).out.split('\n').filter((line) => /\] task /.test(line));
    expect(tasks).toHaveLength(2);
    for (const line of tasks) expect(line).not.toContain(`task ${job}_`);
  });

  test('says what it did, and what it would do', async () => {
    const dry = await spawn('submit', '--dry-run', '--name', 'fit', '--array', '0-9:3%2', '--', 'true');
    expect(dry).toMatchObject({ code: 0, out: 'Would submit fit, 4 tasks\n' });
    expect(await json('jobs', '--all', '--name', 'fit')).toEqual([]);
    const real = await spawn('submit', '--hold', '--name', 'fit', '--array', '0-9:3%2', '--', 'true');
    expect(real.out).toMatch(/^Submitted job \d+: fit, 4 tasks \(array id fit-\d{8}-[0-9a-f]{6}\)\n$/);
    expect(await json('jobs', '--name', 'fit')).toMatchObject([
      { name: 'fit', state: 'held', array: '0-9:3', size: 4, throttle: 2, tasks_ready: 4, held: true },
    ]);
    await spawn('cancel', 'fit');
  });

  test('once with an idempotency key', async () => {
    const words = ['submit', '--quiet', '--idempotency-key', 'once', '--', 'true'];
    const [first, second] = [await box.spawn(words), await box.spawn(words)];
    expect(second.out).toBe(first.out);
  });
});

describe('--wait gives the exit code of the worst task', () => {
  test.each([
    ['true', 0],
    ['exit $TASK_ARRAY_INDEX', 5],
    ['kill -9 $$', 137],
    ['exec sleep 60', 124],
  ])('%s: %d', async (command, code) => {
    const limit = code === 124 ? ['--time-limit', '300ms'] : [];
    const ran = await spawn('submit', '--wait', '--array', '1,5', ...limit, '--command', command);
    expect(ran.code).toBe(code);
    expect(ran.err).toMatch(
      code === 0 ? /^job \d+ completed: 2 tasks in / : /^job \d+ failed: 2 tasks in .*; see: spawn logs \d+_1\n$/,
    );
  });
});

describe('logs', () => {
  test('of one task are its bytes and nothing else', async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    writeFileSync(join(box.folder, 'bytes'), Buffer.concat([all, all]));
    const job = await submit(['--wait', '--', 'cat', 'bytes']);
    expect((await spawn('logs', `${job}_0`)).bytes).toEqual(Buffer.concat([all, all]));
  });

  test('of several tasks are whole lines with their index', async () => {
    const job = await submit(['--array', '3,7', '--wait', '--command', 'echo one; echo two >&2; printf three']);
    const lines = (await spawn('logs', job)).out.split('\n');
    const each = (index: number) => ['one', 'two', 'three'].map((word) => `[${index}] ${word}`);
    expect(lines.toSorted()).toEqual(['', ...each(3), ...each(7)].toSorted());
    expect((await spawn('logs', `${job}_7`, '--stderr')).out).toBe('two\n');
    expect((await spawn('logs', `${job}_7`, '--stdout')).out).toBe('one\nthree');
  });

  test('say on standard error what the cap cut out, and how much', async () => {
    const job = await submit(['--wait', '--command', 'head -c 17000000 /dev/zero']);
    const { code, bytes, err } = await spawn('logs', job);
    expect({ code, length: bytes.length }).toEqual({ code: 0, length: 16 * 1024 ** 2 });
    expect(err).toBe(`spawn: ${job}_0: (${17_000_000 - 16 * 1024 ** 2} bytes cut here: the log is limited)\n`);
  });

  test('of an earlier attempt', async () => {
    const job = await submit(['--retries', '1', '--command', 'echo "attempt $SPAWN_ATTEMPT"; exit 1']);
    await spawn('wait', job);
    expect((await spawn('logs', job)).out).toBe('attempt 2\n');
    expect((await spawn('logs', job, '--attempt', '1')).out).toBe('attempt 1\n');
  });

  test('--follow misses nothing of tasks that end at once', async () => {
    for (let i = 0; i < 20; i++) {
      expect(await spawn('submit', '--follow', '--', 'echo', String(i))).toMatchObject({ code: 0, out: `${i}\n` });
    }
  });

  test('--follow shows output while the task runs', async () => {
    const go = join(box.folder, 'go');
    const job = await submit(['--', 'sh', '-c', `echo begun; until [ -e ${go} ]; do sleep 0.05; done; echo done`]);
    const follower = box.start(['logs', job, '--follow']);
    await until('the first line', () => follower.out() === 'begun\n');
    writeFileSync(go, '');
    expect(await follower.ended).toMatchObject({ code: 0, out: 'begun\ndone\n' });
  });
});

describe('changes', () => {
  test('hold, release, cancel and requeue of elements', async () => {
    const job = await submit(['--array', '4', '--hold', '--', 'sleep', '600']);
    expect((await spawn('cancel', `${job}_[0,2]`)).out).toBe(`job ${job}: 2 tasks cancelled\n`);
    expect((await spawn('release', job)).out).toBe(`job ${job}: 2 tasks released\n`);
    const running = async () =>
      (await json('tasks', job, '--state', 'running')).map((task: { index: number }) => task.index);
    await until('a running task', async () => (await running()).length > 0);
    expect((await spawn('cancel', job)).out).toBe(`job ${job}: 2 tasks cancelled\n`);
    expect((await spawn('wait', job)).code).toBe(1);
    expect(await json('status', job)).toMatchObject({ state: 'cancelled', tasks_cancelled: 4 });
  });

  test('retry runs again in place what failed, and only that', async () => {
    const good = join(box.folder, 'good');
    const job = await submit(['--array', '3', '--command', `[ "$TASK_ARRAY_INDEX" = 1 ] || [ -e ${good} ]`]);
    expect((await spawn('wait', job)).code).toBe(1);
    writeFileSync(good, '');
    expect((await spawn('retry', job)).out).toBe(`job ${job}: 2 tasks to run again\n`);
    expect((await spawn('wait', job)).code).toBe(0);
    const attempts = (await spawn('tasks', job)).out
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t').slice(0, 4));
    expect(attempts).toEqual([
      [`${job}_0`, 'completed', '2', 'exit 0'],
      [`${job}_1`, 'completed', '1', 'exit 0'],
      [`${job}_2`, 'completed', '2', 'exit 0'],
    ]);
  });

  test('update changes the throttle of a live job', async () => {
    const job = await submit(['--array', '10%1', '--hold', '--', 'true']);
    expect((await spawn('update', job, '--throttle', '3')).out).toBe(`job ${job}: throttle 3\n`);
    expect((await json('status', job)).throttle).toBe(3);
    expect((await spawn('update', job, '--throttle', '0')).out).toBe(`job ${job}: no throttle\n`);
    await spawn('cancel', job);
  });

  test('--after waits, and is skipped when it cannot be', async () => {
    const first = await submit(['--hold', '--', 'false']);
    const ok = await submit(['--after', `afterok:${first}`, '--', 'true']);
    const any = await submit(['--after', `afterany:${first}`, '--', 'true']);
    expect(await json('status', ok)).toMatchObject({ state: 'blocked', after: `afterok:${first}` });
    await spawn('release', first);
    expect((await spawn('wait', any)).code).toBe(0);
    expect((await spawn('wait', ok, '--quiet')).code).toBe(1);
    expect((await json('status', ok)).state).toBe('skipped');
  });
});

describe('waiting', () => {
  test('outlives kill -9 of the coordinator', async () => {
    const go = join(box.folder, 'go-on');
    const waiting = box.start([
      'submit',
      '--follow',
      '--command',
      `echo one; until [ -e ${go} ]; do sleep 0.05; done; echo two`,
    ]);
    await until('the first line', () => waiting.out() === 'one\n');
    const { pid } = await json('server', 'status');
    process.kill(pid, 'SIGKILL');
    await until('another coordinator', async () => {
      const { running, pid: now } = await json('server', 'status');
      return running && now !== pid;
    });
    writeFileSync(go, '');
    expect(await waiting.ended).toMatchObject({ code: 0, out: 'one\ntwo\n' });
  });

  test('that is interrupted leaves the job running and says how to go on', async () => {
    const waiting = box.start(['submit', '--wait', '--', 'sleep', '600']);
    await until('the job', () => waiting.out().includes('\n'));
    const job = /job (\d+):/.exec(waiting.out())![1]!;
    await until('its start', async () => (await json('status', job)).state === 'running');
    waiting.child.kill('SIGINT');
    expect(await waiting.ended).toMatchObject({
      code: 130,
      err: `spawn: job ${job} goes on; spawn wait ${job} waits again, spawn cancel ${job} ends it\n`,
    });
    expect((await json('status', job)).state).toBe('running');
    expect(await spawn('wait', job, '--timeout', '50ms')).toMatchObject({
      code: 75,
      err: 'spawn: wait: 1 job did not end within 50ms\n',
    });
    await spawn('cancel', job);
    expect((await spawn('wait', job)).code).toBe(1);
  });
});

describe('through a pipe', () => {
  test('a reader that has enough is no error', async () => {
    const shell = `"${process.execPath}" dist/bin/spawn.js jobs --all -o json | head -c 1; echo "$?"`;
    const job = await submit(['--wait', '--env', `SPAWN_SERVER=`, '--cwd', process.cwd(), '--command', shell]);
    expect((await spawn('logs', job)).out).toBe('[0\n');
  });

  test('a list has no header, no colour and no line without a job', async () => {
    const lines = (await spawn('jobs', '--all')).out.trimEnd().split('\n');
    for (const line of lines) expect(line).toMatch(/^\d+\t[\w.-]+\t[a-z]+\t\d+\t\d+\t\d+\t\d+\t[\d-]+T[\d:.]+Z\t.+$/);
  });
});

test('a coordinator in the foreground serves until it is told to stop', async () => {
  expect((await spawn('server', 'stop')).out).toBe('stopped\n');
  expect(await spawn('server', 'stop')).toMatchObject({ code: 0, out: 'not running\n' });
  const served = box.start(['server', 'start', '--foreground']);
  await until('a coordinator', async () => (await spawn('server', 'status')).code === 0);
  expect(await spawn('server', 'start')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^runs already: pid \d+/),
  });
  expect((await spawn('jobs')).err).toBe('');
  served.child.kill('SIGTERM');
  expect((await served.ended).code).toBe(0);
  expect((await spawn('server', 'status')).code).toBe(3);
});

test('nothing of a secret environment can be read back', async () => {
  await submit(['--wait', '--', 'true'], { env: { SECRET_TOKEN: 'hunter2-hunter2' } });
  for (const words of [['jobs', '--all'], ['status'], ['status', '1'], ['tasks', '1']]) {
    const { code, out } = await spawn(...words, '-o', 'json');
    expect({ code, leaks: out.includes('hunter2') }).toEqual({ code: 0, leaks: false });
  }
  expect(readFileSync(join(box.dataDir, 'server.log'), 'utf8')).not.toContain('hunter2');
});
