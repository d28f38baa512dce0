import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scriptedJob } from '../../test/support/scripted-coordinator.ts';
import { until } from '../../test/support/until.ts';
import { FORKERS, workerOnScript } from '../../test/support/worker-on-script.ts';
import { decodeOutcome, outcomeText } from '../core/outcome.ts';

describe.each(FORKERS)('with the %s forker', (forker) => {
  function setUp() {
    const script = workerOnScript();
    script.start({ forker });
    /** Runs one task of a job; gives how it ended and what it wrote. */
    const run = async (run: string | object, more = {}, attempt = 1) => {
      const spec = typeof run === 'string' ? { kind: 'shell' as const, text: run } : run;
      const job = scriptedJob(1, '', { ...more, run: spec as never });
      script.coordinator.send({ type: 'job', job });
      const fence = script.coordinator.grant(1, 2, 1, attempt);
      const end = await until('the end', () => script.coordinator.endOf(fence));
      return { end, how: outcomeText(decodeOutcome(end.outcome)), text: script.logOf(1, fence) };
    };
    return { ...script, run };
  }

  test('a task ends as its command does', async () => {
    const { run } = setUp();
    const { how, end, text } = await run('echo out; echo err >&2; exit 3');
    expect([how, text]).toEqual(['exit 3', expect.stringMatching(/^(out\nerr|err\nout)\n$/)]);
    expect(end).toMatchObject({ outBytes: 4, errBytes: 4, logSegment: 1, logEndSegment: 1 });
    expect(end.wallUs).toBeGreaterThan(0);
  });

  test('a task that is killed ends by the signal', async () => {
    const { run } = setUp();
    expect((await run('kill -KILL $$')).how).toBe('SIGKILL (9)');
  });

  test('a task that takes too long is timed out', async () => {
    const { run } = setUp();
    expect((await run('trap "exit 0" TERM; sleep 100 & wait', { timeLimitMs: 100 })).how).toBe('time limit');
  });

  test('a command that is not there: 127, and the log says why', async () => {
    const { run } = setUp();
    const { how, text } = await run({ kind: 'argv', argv: ['no-such-command', 'x'] });
    expect([how, text]).toEqual(['exit 127', 'spawn: cannot run no-such-command: No such file or directory\n']);
  });

  test('a command that may not be run: 126', async () => {
    const { run } = setUp();
    const { how, text } = await run({ kind: 'argv', argv: ['/etc/passwd'] });
    expect([how, text]).toEqual(['exit 126', 'spawn: cannot run /etc/passwd: Permission denied\n']);
  });

  test('a directory that is not there: 126', async () => {
    const { run } = setUp();
    const { how, text } = await run('true', { cwd: '/no/such/place' });
    expect([how, text]).toEqual(['exit 126', 'spawn: cannot enter /no/such/place: No such file or directory\n']);
  });

  test('an environment that is too large: 126', async () => {
    const { run } = setUp();
    const { how, text } = await run('true', { env: { LARGE: 'x'.repeat(131_072) } });
    expect([how, text]).toEqual(['exit 126', 'spawn: cannot run /bin/sh: Argument list too long\n']);
  });

  test('files that the server does not have: 126', async () => {
    const { run } = setUp();
    const { how, text } = await run({ kind: 'script', hash: 'a'.repeat(64), name: 'x.sh', args: [] });
    expect(how).toBe('exit 126');
    expect(text).toMatch(/^spawn: the files of job 1 cannot be had: file "a+" not found\n$/);
  });

  test('a text that begins with a sign is no option of the shell', async () => {
    const { run } = setUp();
    expect((await run('-x; echo went on')).text).toMatch(/went on/);
  });

  test('a script runs by its own interpreter, or by sh', async () => {
    const { run, coordinator, folder } = setUp();
    const script = (text: string) => ({
      kind: 'script',
      hash: coordinator.addBlob(text),
      name: 'x',
      args: ['a b', "it's"],
    });
    const own = await run(script('#!/bin/cat\nshown\n'));
    expect(own.text).toMatch(/^#!\/bin\/cat\nshown\n/);
    coordinator.send({ type: 'forget', job: 1 });
    const plain = await run(script('printf "%s|" "$@"'));
    expect([plain.how, plain.text]).toEqual(['exit 0', "a b|it's|"]);
    const kept = join(folder, 'data/worker/scripts');
    const names = readdirSync(kept);
    expect(names).toHaveLength(2);
    expect(names.map((name) => statSync(join(kept, name)).mode & 0o777)).toEqual([0o700, 0o700]);
  });

  test('a task sees the environment that was stored, its own variables and nothing of the worker', async () => {
    const { run, coordinator, folder } = setUp();
    const envSnapshot = coordinator.addBlob(['PATH=/usr/bin:/bin', 'KEPT=a b', 'OTHER=1', 'SPAWN_FENCE=9'].join('\0'));
    const { text } = await run('env', { envSnapshot, env: { OTHER: '2' } }, 3);
    const env = new Map(
      text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    expect(env.get('KEPT')).toBe('a b');
    expect(env.get('OTHER')).toBe('2');
    expect(env.get('SPAWN_FENCE')).toBe('1');
    expect(env.get('SLURM_RESTART_COUNT')).toBe('2');
    expect(env.get('SPAWN_SESSION')).toMatch(/-1$/);
    expect(env.has('HOME')).toBe(false);
    const kept = join(folder, 'data/worker/env');
    expect(readdirSync(kept).map((name) => statSync(join(kept, name)).mode & 0o777)).toEqual([0o600]);
  });

  test('what is kept of a file and is not whole is fetched again', async () => {
    const { run, coordinator, folder } = setUp();
    const hash = coordinator.addBlob('echo whole');
    const kept = join(folder, 'data/worker/scripts');
    mkdirSync(kept, { recursive: true });
    writeFileSync(join(kept, hash), 'echo wh');
    chmodSync(join(kept, hash), 0o700);
    expect((await run({ kind: 'script', hash, name: 'x', args: [] })).text).toBe('whole\n');
  });
});
