import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  daemon,
  ForkerUnderTest,
  gone,
  KILLED,
  processLives,
  readPid,
  TERMED,
} from '../../../test/support/forker-under-test.ts';
import { until } from '../../../test/support/until.ts';

const { signals } = constants;

describe.each(['native', 'node'] as const)('%s forker: kills', (kind) => {
  test('TERM, and KILL after the grace when the group ignores TERM', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const child = join(forker.logDir, 'child');
    const fence = forker.run({
      script: `trap "" TERM; sh -c 'echo $$ > ${child}; while :; do sleep 0.05; done' & wait; while :; do sleep 0.05; done`,
    });
    const pid = await readPid(child);
    forker.forker.kill(fence, 'cancel', 100);
    expect(await forker.ended(fence)).toMatchObject({ end: KILLED, cause: 'cancel' });
    await gone(pid);
  });

  test('grace 0 kills at once', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const fence = forker.run({ script: 'trap "" TERM; while :; do sleep 0.05; done' });
    await forker.started(fence);
    forker.forker.kill(fence, 'shutdown', 0);
    expect(await forker.ended(fence)).toMatchObject({ end: KILLED, cause: 'shutdown' });
  });

  test('the first cause counts, and a shorter grace replaces a longer one', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const ready = join(forker.logDir, 'ready');
    const fence = forker.run({ script: `trap "" TERM; echo 1 > ${ready}; while :; do sleep 0.05; done` });
    await readPid(ready);
    forker.forker.kill(fence, 'cancel', 600_000);
    forker.forker.kill(fence, 'shutdown', 50);
    expect(await forker.ended(fence)).toMatchObject({ end: KILLED, cause: 'cancel' });
  });

  test('a task may end in order inside its grace', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const ready = join(forker.logDir, 'ready');
    const fence = forker.run({
      script: `trap 'echo saved; exit 7' TERM; echo 1 > ${ready}; while :; do sleep 0.02; done`,
    });
    await readPid(ready);
    forker.forker.kill(fence, 'cancel', 60_000);
    const ended = await forker.ended(fence);
    expect(ended).toMatchObject({ end: { kind: 'exited', code: 7 }, cause: 'cancel' });
    expect(forker.log(ended).stdout.toString()).toBe('saved\n');
  });

  test('a shell that dies of TERM leaves its program the grace to save its work', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const child = join(forker.logDir, 'child');
    const program = `trap 'sleep 0.3; echo saved; exit 0' TERM; echo $$ > ${child}; while :; do sleep 0.02; done`;
    const fence = forker.run({ script: `/bin/sh -c "$PROGRAM"; echo never`, env: [`PROGRAM=${program}`] });
    await readPid(child);
    forker.forker.kill(fence, 'cancel', 60_000);
    const ended = await forker.ended(fence);
    expect(ended).toMatchObject({ end: TERMED, cause: 'cancel' });
    expect(forker.log(ended).stdout.toString()).toBe('saved\n');
  });

  test('nobody gets TERM twice, also who has left the group', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const [inside, outside] = [join(forker.logDir, 'inside'), join(forker.logDir, 'outside')];
    const counts = (file: string) =>
      `trap "echo term >> ${file}.terms" TERM; echo $$ > ${file}; while :; do sleep 0.02; done`;
    const script = `(sh -c '${counts(inside)}' &); (setsid sh -c '${counts(outside)}' &); sleep 1000`;
    const fence = forker.run({ script });
    await readPid(inside);
    await readPid(outside);
    forker.forker.kill(fence, 'cancel', 500);
    await forker.ended(fence);
    expect(readFileSync(`${inside}.terms`, 'utf8')).toBe('term\n');
    expect(readFileSync(`${outside}.terms`, 'utf8')).toBe('term\n');
  });

  test('a stopped task is ended as well', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const fence = forker.run({ script: 'kill -STOP $$; sleep 1000' });
    const { pid } = await forker.started(fence);
    await until('the stop', () => readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') T '));
    forker.forker.kill(fence, 'cancel', 60_000);
    expect((await forker.ended(fence)).end).toEqual(TERMED);
  });

  test('a time limit gives TERM, then KILL', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const gentle = forker.run({ script: 'sleep 1000', timeLimitMs: 200 });
    const stubborn = forker.run({
      script: 'trap "" TERM; while :; do sleep 0.05; done',
      timeLimitMs: 200,
      graceMs: 100,
    });
    const inTime = forker.run({ script: ':', timeLimitMs: 60_000 });
    const long = forker.run({ script: ':', timeLimitMs: 60 * 24 * 3600 * 1000 });
    expect(await forker.ended(gentle)).toMatchObject({ end: TERMED, cause: 'timeLimit' });
    const killed = await forker.ended(stubborn);
    expect(killed).toMatchObject({ end: KILLED, cause: 'timeLimit' });
    expect(killed.wallUs).toBeGreaterThanOrEqual(300_000);
    expect(await forker.ended(inTime)).toMatchObject({ end: { code: 0 }, cause: 'none' });
    expect(await forker.ended(long)).toMatchObject({ end: { code: 0 }, cause: 'none' });
  });

  test('a signal goes to the whole group and changes nothing else', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const ready = join(forker.logDir, 'ready');
    const fence = forker.run({
      script: `trap 'echo usr1; exit 3' USR1; echo 1 > ${ready}; while :; do sleep 0.02; done`,
    });
    await readPid(ready);
    forker.forker.signal(fence, signals.SIGUSR1, false);
    const ended = await forker.ended(fence);
    expect(ended).toMatchObject({ end: { kind: 'exited', code: 3 }, cause: 'none' });
  });

  test('a signal for the main process reaches no child of it', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const [ready, told] = [join(forker.logDir, 'ready'), join(forker.logDir, 'told')];
    const child = `trap "echo child >> ${told}" USR1; echo 1 > ${ready}; while :; do sleep 0.02; done`;
    const fence = forker.run({
      script: `trap 'echo main >> ${told}' USR1; sh -c '${child}' & while :; do sleep 0.02; done`,
    });
    await readPid(ready);
    const lines = () => (existsSync(told) ? readFileSync(told, 'utf8').split('\n').slice(0, -1).toSorted() : []);
    forker.forker.signal(fence, signals.SIGUSR1, true);
    await until('the main process to be told', () => lines().length === 1);
    forker.forker.signal(fence, signals.SIGUSR1, false);
    await until('both to be told', () => lines().length === 3);
    expect(lines()).toEqual(['child', 'main', 'main']);
    forker.forker.kill(fence, 'cancel', 0);
    await forker.ended(fence);
  });

  test('kills and signals of an unknown fence are ignored', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    forker.forker.kill(99, 'cancel', 0);
    forker.forker.signal(99, signals.SIGTERM, false);
    forker.forker.signal(99, signals.SIGTERM, true);
    expect((await forker.complete('exit 1')).ended.end).toEqual({ kind: 'exited', code: 1 });
  });

  test('a background child dies with the main process', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const child = join(forker.logDir, 'child');
    const fence = forker.run({
      script: `sh -c 'trap "" TERM HUP; echo $$ > ${child}; sleep 1000' & until [ -s ${child} ]; do sleep 0.02; done`,
    });
    expect((await forker.ended(fence)).end).toEqual({ kind: 'exited', code: 0 });
    await gone(await readPid(child));
  });

  test('a daemon (double fork, own session) dies with its task, at its end and when it is cancelled', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const [first, second] = [join(forker.logDir, 'first'), join(forker.logDir, 'second')];
    const cancelled = forker.run({ script: `${daemon(second)}; sleep 1000` });
    const daemonOfOther = await readPid(second);
    await forker.complete(daemon(first));
    await gone(await readPid(first));
    expect(processLives(daemonOfOther)).toBe(true);
    forker.forker.kill(cancelled, 'cancel', 60_000);
    await forker.ended(cancelled);
    await gone(daemonOfOther);
  });

  if (kind === 'native')
    test('a daemon with an empty environment dies too, once no task of its time lives', async () => {
      await using forker = await ForkerUnderTest.start(kind);
      const file = join(forker.logDir, 'pid');
      const fence = forker.run({
        script: `(env -i setsid sh -c 'echo $$ > ${file}; sleep 1000' &) ; until [ -s ${file} ]; do sleep 0.02; done`,
      });
      const pid = await readPid(file);
      await forker.ended(fence);
      await gone(pid);
    });
});
