import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ForkerUnderTest } from '../../../test/support/forker-under-test.ts';
import { nativeForkerPath } from './programs.ts';
import { PID_ENTRY } from './protocol.ts';

const { signals, errno } = constants;

describe.each(['native', 'node'] as const)('%s forker: processes', (kind) => {
  if (kind === 'native')
    test('is built', () => {
      expect(existsSync(nativeForkerPath())).toBe(true);
    });

  test('every exit code comes through', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const fences = Array.from({ length: 256 }, (_, code) =>
      forker.run({ script: `exit ${code}`, queue: { id: 1, width: 4 } }),
    );
    const ends = await Promise.all(fences.map((fence) => forker.ended(fence)));
    expect(ends.map((ended) => ended.end)).toEqual(fences.map((_, code) => ({ kind: 'exited', code })));
    expect(ends.every((ended) => ended.cause === 'none')).toBe(true);
  });

  test('an end by a signal is not an exit code', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const { ended: exited } = await forker.complete('exit 137');
    const { ended: killed } = await forker.complete('kill -KILL $$');
    const { ended: segv } = await forker.complete('ulimit -c 0; kill -SEGV $$');
    expect(exited.end).toEqual({ kind: 'exited', code: 137 });
    expect(killed.end).toEqual({ kind: 'signalled', signal: signals.SIGKILL, core: false });
    expect(segv.end).toEqual({ kind: 'signalled', signal: signals.SIGSEGV, core: false });
  });

  test('what a process sees: its directory, environment, umask, group, no open file but three', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const cwd = join(forker.logDir, 'a directory');
    mkdirSync(cwd);
    // Listed neither through a pipe nor by the shell's last command, for which it opens more or which it becomes.
    const script = 'pwd; echo "$BASE $BOTH $EXTRA"; umask; echo $$; cut -d" " -f5,6 /proc/$$/stat; ls /proc/$$/fd; :';
    const { ended, log } = await forker.complete(script, { cwd, env: ['BOTH=extra', 'EXTRA=a=b'], umask: 0o27 });
    const [pwd, env, umask, pid, ids, ...fds] = log.stdout.toString().split('\n');
    expect([pwd, env, umask]).toEqual([cwd, 'base extra a=b', '0027']);
    expect(Number(pid)).toBe(ended.pid);
    expect(ids).toBe(`${pid} ${pid}`);
    expect(fds).toEqual(['0', '1', '2', '']);
  });

  test('its number is in the variable that asks for it, where the forker can do that', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    for (let round = 0; round < 2; round++) {
      const { ended, log } = await forker.complete('echo "$SLURM_TASK_PID"', { env: [PID_ENTRY] });
      expect(log.stdout.toString()).toBe(kind === 'native' ? `${ended.pid}\n` : '\n');
    }
    const short = await forker.complete('echo "$SLURM_TASK_PID"', { env: ['SLURM_TASK_PID=7'] });
    expect(short.log.stdout.toString()).toBe(kind === 'native' ? '7\n' : '\n');
  });

  test('signals are as a fresh process has them: nothing ignored, nothing blocked', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const { log } = await forker.complete('', {
      argv: ['/bin/grep', '-E', 'SigBlk|SigIgn|SigPnd', '/proc/self/status'],
    });
    const lines = log.stdout.toString().trim().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).toMatch(/\t0+$/);
  });

  test('without a umask of its own a task has the one of the worker', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const { log } = await forker.complete('umask');
    expect(Number.parseInt(log.stdout.toString(), 8)).toBe(process.umask());
  });

  test('the program is found in the PATH of the task, a script without #! is given to the shell', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const bin = join(forker.logDir, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'only-here'), 'echo "found $1"\n', { mode: 0o755 });
    writeFileSync(join(bin, 'not-executable'), '', { mode: 0o644 });
    const env = [`PATH=${forker.logDir}/missing:${bin}:/usr/bin:/bin`];
    const found = await forker.ended(forker.run({ argv: ['only-here', 'it'], env }));
    expect(forker.log(found).stdout.toString()).toBe('found it\n');
    const denied = await forker.answer(forker.run({ argv: ['not-executable'], env }));
    expect(denied).toMatchObject({ failed: { step: 'exec', errorName: 'EACCES' } });
    expect(await forker.answer(forker.run({ argv: ['only-here'] }))).toMatchObject({ failed: { errorName: 'ENOENT' } });
  });

  test('arguments are passed as they are', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const args = ['', 'a b', '$HOME', '*', "'", '"', 'ü\n\t\\', '-n'];
    const ended = await forker.ended(forker.run({ argv: ['/usr/bin/printf', '%s|', ...args] }));
    expect(forker.log(ended).stdout.toString()).toBe(`${args.join('|')}|`);
  });

  test('what cannot be started says why, and has not started', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const missing = join(forker.logDir, 'missing');
    const answers = [
      await forker.answer(forker.run({ script: ':', cwd: missing })),
      await forker.answer(forker.run({ script: ':', cwd: '/etc/passwd' })),
      await forker.answer(forker.run({ argv: [join(missing, 'program')] })),
      await forker.answer(forker.run({ argv: ['/etc'] })),
      await forker.answer(forker.run({ script: ':', stdin: missing })),
      await forker.answer(forker.run({ argv: ['/bin/echo', 'a\0b'] })),
      await forker.answer(forker.run({ argv: ['/bin/echo', 'x'.repeat(4 * 1024 * 1024)] })),
      await forker.answer(forker.run({ argv: ['/bin/echo', 'x'.repeat(40 * 1024 * 1024)] })),
    ];
    expect(answers).toMatchObject([
      { failed: { step: 'cwd', errno: errno.ENOENT, errorName: 'ENOENT' } },
      { failed: { step: 'cwd', errno: errno.ENOTDIR } },
      { failed: { step: 'exec', errno: errno.ENOENT } },
      { failed: { step: 'exec', errno: errno.EACCES } },
      { failed: { step: 'stdin', errno: errno.ENOENT } },
      { failed: { step: 'exec', errno: errno.EINVAL } },
      { failed: { step: 'exec', errno: errno.E2BIG } },
      { failed: { step: 'exec', errno: errno.E2BIG } },
    ]);
    expect(forker.order.filter((what) => what.startsWith('started'))).toEqual([]);
    expect(forker.forker.unfinishedCount).toBe(0);
  });

  test('stdin is /dev/null or the given file', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    writeFileSync(join(forker.logDir, 'input'), 'some\ninput');
    expect((await forker.complete('cat; echo end')).log.stdout.toString()).toBe('end\n');
    expect((await forker.complete('cat', { stdin: 'input' })).log.stdout.toString()).toBe('some\ninput');
    const absolute = join(forker.logDir, 'input');
    expect((await forker.complete('cat', { stdin: absolute })).log.stdout.toString()).toBe('some\ninput');
  });

  test('time and resource use', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const { ended } = await forker.complete('i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done');
    expect(ended.wallUs).toBeGreaterThan(0);
    expect(ended.exactUsage).toBe(kind === 'native');
    if (!ended.exactUsage) return;
    expect(ended.userUs + ended.systemUs).toBeGreaterThan(0);
    expect(ended.maxRssKb).toBeGreaterThan(100);
    // The kernel counts what the forker holds when it starts a task; what it once held for another must not stay in that.
    const chatty = await forker.complete('head -c 30000000 /dev/zero', { logCapBytes: 16 << 20 });
    expect(chatty.ended.exactUsage).toBe(true);
    const quiet = await forker.complete(':');
    expect(quiet.ended.maxRssKb).toBeLessThan(6_000);
  });

  test('environments: unknown, replaced, dropped, impossible, too long', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    expect(await forker.answer(forker.run({ script: ':', envId: 9 }))).toMatchObject({
      refused: { reason: 'unknownEnv' },
    });
    forker.forker.setEnv(9, ['A=1', 'A=2', 'AB=3']);
    const first = forker.run({ script: 'echo $A $AB', envId: 9, env: ['B=x'] });
    forker.forker.setEnv(9, ['A=new']);
    const second = forker.run({ script: 'echo $A $AB', envId: 9 });
    forker.forker.dropEnv(9);
    const third = forker.run({ script: ':', envId: 9 });
    expect(forker.log(await forker.ended(first)).stdout.toString()).toBe('2 3\n');
    expect(forker.log(await forker.ended(second)).stdout.toString()).toBe('new\n');
    expect(await forker.answer(third)).toMatchObject({ refused: { reason: 'unknownEnv' } });
    forker.forker.setEnv(9, ['A=nul\0inside']);
    expect(await forker.answer(forker.run({ script: ':', envId: 9 }))).toMatchObject({
      failed: { errno: errno.EINVAL },
    });
    forker.forker.setEnv(9, ['x'.repeat(40 * 1024 * 1024)]);
    expect(await forker.answer(forker.run({ script: ':', envId: 9 }))).toMatchObject({
      refused: { reason: 'unknownEnv' },
    });
  });

  test('a fence that still runs is refused, and does not disturb the one that has it', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const fence = forker.run({ script: 'read x', stdin: '/dev/zero' });
    await forker.started(fence);
    forker.run({ script: ':', fence });
    expect(await forker.answer(fence)).toEqual({ refused: { fence, reason: 'duplicateFence' } });
    expect(forker.forker.unfinishedCount).toBe(1);
  });

  test('a queue starts no more than its width, in order; a queued run can be withdrawn', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const queue = { id: 7, width: 2 };
    const gate = join(forker.logDir, 'gate');
    const script = `until [ -e ${gate} ]; do sleep 0.02; done`;
    const fences = [1, 2, 3, 4, 5].map(() => forker.run({ script, queue }));
    await forker.started(fences[1]!);
    const killed = forker.run({ script, queue });
    forker.forker.kill(killed, 'cancel', 0);
    expect(await forker.answer(killed)).toEqual({ refused: { fence: killed, reason: 'withdrawn' } });
    const other = await forker.complete('echo beside the queue');
    expect(other.log.stdout.toString()).toBe('beside the queue\n');
    forker.forker.withdraw(fences[0]!);
    forker.forker.withdraw(fences[3]!);
    expect(await forker.answer(fences[3]!)).toEqual({ refused: { fence: fences[3], reason: 'withdrawn' } });
    expect(forker.order.filter((what) => what.startsWith('started'))).toEqual(['started 1', 'started 2', 'started 7']);
    writeFileSync(gate, '');
    const ends = await Promise.all([0, 1, 2, 4].map((i) => forker.ended(fences[i]!)));
    expect(ends.map(({ cause }) => cause)).toEqual(['none', 'none', 'none', 'none']);
    expect(forker.order.indexOf('started 3')).toBeLessThan(forker.order.indexOf('started 5'));
    expect(forker.order).not.toContain('started 4');
  });

  test('quit refuses new runs and ends when nothing runs', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const gate = join(forker.logDir, 'gate');
    const fence = forker.run({ script: `until [ -e ${gate} ]; do sleep 0.02; done; echo done` });
    await forker.started(fence);
    forker.forker.quit();
    expect(await forker.answer(forker.run({ script: ':' }))).toMatchObject({ refused: { reason: 'quitting' } });
    writeFileSync(gate, '');
    expect((await forker.ended(fence)).end).toEqual({ kind: 'exited', code: 0 });
    expect(await forker.exit).toMatchObject({ expected: true, code: 0, unfinished: [] });
  });

  test('500 tasks all end, each with its own output', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const fences = Array.from({ length: 500 }, (_, i) =>
      forker.run({ argv: ['/bin/echo', `task ${i}`], queue: { id: 1, width: 8 } }),
    );
    const ends = await Promise.all(fences.map((fence) => forker.ended(fence)));
    expect(ends.map((ended) => forker.log(ended).stdout.toString())).toEqual(fences.map((_, i) => `task ${i}\n`));
    expect(forker.forker.unfinishedCount).toBe(0);
  });

  test('too many open files fail the run, not the forker', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    await forker.complete(':');
    const { pid } = forker.forker;
    const limit = (files: number) => execFileSync('prlimit', ['--pid', String(pid), `--nofile=${files}:`]);
    const before = Number(
      execFileSync('prlimit', ['--pid', String(pid), '--nofile', '-o', 'SOFT', '--noheadings'], { encoding: 'utf8' }),
    );
    limit(3);
    const answer = await forker.answer(forker.run({ script: ':' }));
    limit(before);
    expect(answer).toMatchObject({ failed: { step: 'pipe', errorName: 'EMFILE' } });
    expect((await forker.complete('exit 6')).ended.end).toEqual({ kind: 'exited', code: 6 });
  });

  test('the events of a task come in order', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const fence = forker.run({ script: ':' });
    await forker.ended(fence);
    expect(forker.order).toEqual([`started ${fence}`, `ended ${fence}`]);
    expect((await forker.started(fence)).pid).toBe((await forker.ended(fence)).pid);
  });

  test('the forker keeps nothing of the environment of the worker', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    expect(readFileSync(`/proc/${forker.forker.pid}/environ`, 'utf8')).toBe('');
  });
});
