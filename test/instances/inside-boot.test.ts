import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { ended, Members } from './inside-members.ts';

let members: Members;
let work: string;
beforeAll(() => {
  members = new Members(1);
  members.startAll();
  work = join(members.folder, 'work');
});
afterAll(() => members.close());

/** As if nothing had ever run here. */
beforeEach(async () => {
  const old = ['spawn/state', 'spawn/user-data', 'run/completion.json', 'tmp/SPAWN_COMPLETE'];
  for (const name of old) rmSync(join(members.directory(0), name), { recursive: true, force: true });
  await members.run(0, ['sh', '-c', 'rm -rf ./*']);
});

const boot = (...argv: string[]) => ['spored', 'boot', '--', ...argv];
const userData = (text: string) => members.write(0, 'user-data', text);
const state = (name: string) => existsSync(join(members.directory(0), 'spawn/state', name));
const file = (name: string) => readFileSync(join(work, name), 'utf8');
const made = (name: string) => until(`${name} to be made`, () => existsSync(join(work, name)) || undefined);

async function stop(child: ChildProcess) {
  const end = ended(child);
  child.kill('SIGTERM');
  return end;
}

describe('user-data', () => {
  test.each<[string, string]>([
    [
      'without a shebang runs under sh',
      'echo "$TASK_ARRAY_INDEX of $TASK_ARRAY_SIZE"; readlink /proc/$$/exe | grep -c bash || true\n',
    ],
    [
      'with a shebang is executed',
      '#!/bin/bash\necho "$TASK_ARRAY_INDEX of $TASK_ARRAY_SIZE"; readlink /proc/$$/exe | grep -c bash || true\n',
    ],
    [
      'with a shebang of several words',
      '#! /usr/bin/env -S bash -u\necho "$TASK_ARRAY_INDEX of $TASK_ARRAY_SIZE"; readlink /proc/$$/exe | grep -c bash || true',
    ],
  ])('%s, before the command and once', async (name, script) => {
    userData(script);
    const first = await members.run(0, boot('sh', '-c', 'echo command $((JOB_ARRAY_INDEX + 1)); exit 3'));
    expect(first).toEqual({
      code: 3,
      signal: null,
      out: `0 of 1\n${name.includes('without') ? 0 : 1}\ncommand 1\n`,
      err: '',
    });
    // Decided, but it had succeeded: what prepares an instance does so once.
    expect(await members.run(0, boot('echo', 'again'))).toMatchObject({ code: 0, out: 'again\n' });
  });

  test('the order of what it writes to both streams is kept, up to the last byte', async () => {
    userData('for i in 1 2 3; do echo out $i; echo err $i >&2; done');
    const both = ['sh', '-c', 'spored boot -- sh -c "echo last; echo words >&2; printf end" 2>&1'];
    const { out } = await members.run(0, both);
    expect(out).toBe('out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\nlast\nwords\nend');
  });

  test('that fails keeps the command from running, and runs again in the next attempt', async () => {
    userData('echo try >> tries; [ $(wc -l < tries) = 2 ] || exit 9');
    const { code, out, err } = await members.run(0, boot('echo', 'command'));
    expect([code, out]).toEqual([9, '']);
    expect(err).toBe('spored boot: user-data ended with exit code 9\nspored boot: so the command is not run\n');
    expect(await members.run(0, boot('echo', 'command'))).toMatchObject({ code: 0, out: 'command\n' });
  });

  test('whose interpreter is missing is told', async () => {
    userData('#!/no/such/thing\n');
    const { code, err } = await members.run(0, boot('echo', 'command'));
    expect([code, err]).toEqual([127, expect.stringContaining('user-data: cannot start /no/such/thing: ')]);
  });

  test('what it leaves behind outlives the attempt', async () => {
    userData('setsid sh -c "echo \\$\\$ > daemon; exec sleep 1000" > /dev/null 2>&1 < /dev/null & ');
    expect(await members.run(0, boot('sh', '-c', 'while [ ! -s daemon ]; do sleep 0.01; done'))).toMatchObject({
      code: 0,
    });
    const alive = await members.run(0, [
      'sh',
      '-c',
      'kill -0 $(cat daemon) && ps -o ppid= -p $(cat daemon) && kill $(cat daemon)',
    ]);
    expect([alive.code, alive.out.trim()]).toEqual([0, '1']);
  });
});

describe('the command', () => {
  test('its exit code is that of the attempt, and its signal too', async () => {
    expect(await members.run(0, boot('sh', '-c', 'exit 42'))).toMatchObject({ code: 42 });
    expect(state('decided')).toBe(true);
    expect(await members.run(0, boot('sh', '-c', 'kill -SEGV $$'))).toMatchObject({ code: 128 + 11 });
    expect(await members.run(0, boot('no-such-program'))).toMatchObject({ code: 127 });
    expect(await members.run(0, boot('/etc/passwd'))).toMatchObject({ code: 126 });
  });

  test.each([[['/tmp/elsewhere/tool']], [['sh', '-c', 'exec /tmp/elsewhere/tool --fast']]])(
    'says where /tmp is when there is no %j',
    async (words) => {
      const ran = await members.run(0, boot(...words));
      expect(ran).toMatchObject({
        code: 127,
        err: expect.stringMatching(/: an instance has a \/tmp of its own: .*\n$/),
      });
      expect((await members.run(0, boot('sh', '-c', 'exit 127'))).err).toBe('');
    },
  );

  test('gets TERM once, and decides nothing by it', async () => {
    const trap = 'trap "echo TERM >> terms; exit 5" TERM; touch ready; while :; do sleep 0.01; done';
    const child = members.begin(0, boot('sh', '-c', trap));
    await made('ready');
    expect(await stop(child)).toMatchObject({ code: 5 });
    expect([file('terms'), state('decided')]).toEqual(['TERM\n', false]);
  });

  test('the completion signal wins over its exit code', async () => {
    const failed = await members.run(0, boot('sh', '-c', 'spored complete -s failed > /dev/null 2>&1; exit 0'));
    expect(failed).toMatchObject({ code: 1 });
    // The next attempt begins without a signal, and without its file.
    const next = await members.run(0, boot('sh', '-c', 'ls /tmp; spored complete > /dev/null 2>&1; exit 7'));
    expect(next).toMatchObject({ code: 0, out: '' });
    expect(existsSync(join(members.directory(0), 'tmp/SPAWN_COMPLETE'))).toBe(true);
  });

  test('the completion signal wins over TERM', async () => {
    const child = members.begin(0, boot('sh', '-c', 'spored complete; touch ready; exec sleep 1000'));
    await made('ready');
    expect(await stop(child)).toMatchObject({ code: 0 });
    expect(state('decided')).toBe(true);
  });
});

describe('without a command', () => {
  test.each([
    ['success', 0],
    ['failed', 1],
  ])('ends by spored complete: %s', async (status, code) => {
    userData(`echo working; spored complete --status ${status} 2> /dev/null; echo bye`);
    const ran = await members.run(0, boot());
    expect(ran).toMatchObject({ code, out: expect.stringMatching(/^working\nCompletion signal given: .*\nbye\n$/) });
    // user-data is the work here, so the next attempt does it again.
    expect((await members.run(0, boot())).out).toBe(ran.out);
  });

  test('ends when somebody else gives the signal, long after user-data', async () => {
    userData('touch ready');
    const child = members.begin(0, boot());
    const end = ended(child);
    await made('ready');
    await members.run(0, ['spored', 'complete', '-s', 'failed', '-m', 'by hand']);
    expect(await end).toMatchObject({ code: 1 });
  });

  test('a file made by hand is a signal, and told to the agent', async () => {
    const asked = await members.answer(0, () => ({ ok: true, first: true, status: 'failed' }));
    userData(`sleep 0.05; printf '{"status":"failed","message":"no disk"}' > /tmp/SPAWN_COMPLETE`);
    expect(await members.run(0, boot())).toMatchObject({ code: 1 });
    expect(asked).toMatchObject([
      { command: 'complete', status: 'failed', message: 'no disk', file: '/tmp/SPAWN_COMPLETE' },
    ]);
    rmSync(join(members.directory(0), 'run/agent.sock'), { force: true });
  });

  test('user-data that fails leaves the instance to look at', async () => {
    userData('exit 4');
    const child = members.begin(0, boot());
    let err = '';
    child.stderr?.on('data', (bytes) => (err += bytes));
    await until('the words', () => err.includes('goes on until') || undefined);
    expect(await stop(child)).toMatchObject({ code: 128 + 15 });
    expect([state('user-data'), state('decided')]).toEqual([true, false]);
  });

  test('TERM during user-data reaches it, and it has not finished then', async () => {
    userData('trap "echo got TERM; exit 0" TERM; touch ready; while :; do sleep 0.01; done');
    const child = members.begin(0, boot());
    await made('ready');
    expect(await stop(child)).toMatchObject({ code: 128 + 15, out: 'got TERM\n' });
    expect([state('user-data'), state('decided')]).toEqual([false, false]);
  });

  test('a kill of the attempt ends user-data too, but not what it made a daemon', async () => {
    // Ready once it is a daemon: until then it is one of user-data's own processes.
    userData("setsid sh -c 'touch ready; exec sleep 1001' > /dev/null 2>&1 & sleep 1002");
    const end = ended(members.begin(0, ['sh', '-c', 'echo $$ > pid; exec spored boot']));
    await made('ready');
    await members.run(0, ['sh', '-c', 'kill -9 $(cat pid)']);
    expect(await end).toMatchObject({ code: 128 + 9 });
    const count = async (seconds: number) =>
      (
        await members.run(0, [
          'sh',
          '-c',
          `cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\\0' ' ' | grep -c '[s]leep ${seconds} '`,
        ])
      ).out.trim();
    await until('user-data to end', async () => ((await count(1002)) === '0' ? true : undefined));
    expect(await count(1001)).toBe('1');
    await members.run(0, ['sh', '-c', 'pkill -f "[s]leep 1001"']);
  });

  test('a signal that was given while the attempt was killed counts for the next', async () => {
    writeFileSync(join(members.directory(0), 'tmp/SPAWN_COMPLETE'), '');
    expect(await members.run(0, boot())).toMatchObject({ code: 0, err: '' });
  });
});
