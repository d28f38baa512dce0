import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ForkerUnderTest, processLives } from '../../../test/support/forker-under-test.ts';
import { until } from '../../../test/support/until.ts';
import { writeCommand, writeRun } from './commands.ts';
import { readRefused } from './events.ts';
import { forkerProgram } from './programs.ts';
import { Command, Event } from './protocol.ts';
import { findMarked, killLeftovers } from './sweep.ts';
import { FrameSplitter, FrameWriter } from './wire.ts';

const { signals } = constants;
const KILLED = { kind: 'signalled', signal: signals.SIGKILL, core: false };
const TERMED = { kind: 'signalled', signal: signals.SIGTERM, core: false };

const readPid = (path: string) =>
  until(`a pid in ${path}`, () =>
    existsSync(path) && readFileSync(path, 'utf8').endsWith('\n') ? Number(readFileSync(path, 'utf8')) : undefined,
  );
const gone = (pid: number) => until(`the end of ${pid}`, () => !processLives(pid));

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
    forker.forker.signal(fence, signals.SIGUSR1);
    const ended = await forker.ended(fence);
    expect(ended).toMatchObject({ end: { kind: 'exited', code: 3 }, cause: 'none' });
  });

  test('kills and signals of an unknown fence are ignored', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    forker.forker.kill(99, 'cancel', 0);
    forker.forker.signal(99, signals.SIGTERM);
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

  const daemon = (pidFile: string) =>
    `(setsid sh -c 'echo $$ > ${pidFile}; sleep 1000' &) ; until [ -s ${pidFile} ]; do sleep 0.02; done`;

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

  test.runIf(kind === 'native')(
    'a daemon with an empty environment dies too, once no task of its time lives',
    async () => {
      await using forker = await ForkerUnderTest.start(kind);
      const file = join(forker.logDir, 'pid');
      const fence = forker.run({
        script: `(env -i setsid sh -c 'echo $$ > ${file}; sleep 1000' &) ; until [ -s ${file} ]; do sleep 0.02; done`,
      });
      const pid = await readPid(file);
      await forker.ended(fence);
      await gone(pid);
    },
  );

  test('the lease kills everything, refuses new runs, and a new one lets them in again', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const queue = { id: 1, width: 1 };
    const gentle = forker.run({ script: 'sleep 1000', queue });
    const queued = forker.run({ script: ':', queue });
    const ready = join(forker.logDir, 'ready');
    const stubborn = forker.run({ script: `trap "" TERM; echo 1 > ${ready}; while :; do sleep 0.05; done` });
    await forker.started(gentle);
    await readPid(ready);
    forker.forker.lease(300, 100);
    expect(await forker.answer(queued)).toEqual({ refused: { fence: queued, reason: 'lease' } });
    expect(await forker.ended(gentle)).toMatchObject({ end: TERMED, cause: 'lease' });
    expect(await forker.ended(stubborn)).toMatchObject({ end: KILLED, cause: 'lease' });
    expect(forker.leaseExpired).toEqual([{ killing: 2, refused: 1 }]);
    expect(await forker.answer(forker.run({ script: ':' }))).toMatchObject({ refused: { reason: 'lease' } });
    forker.forker.lease(600_000, 0);
    expect((await forker.complete('exit 4')).ended.end).toEqual({ kind: 'exited', code: 4 });
    expect(forker.leaseExpired).toHaveLength(1);
  });

  test('a renewed lease kills nothing', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const fence = forker.run({ script: 'sleep 0.6' });
    await forker.started(fence);
    forker.forker.lease(300, 0);
    forker.forker.lease(600_000, 0);
    expect(await forker.ended(fence)).toMatchObject({ end: { kind: 'exited', code: 0 }, cause: 'none' });
    expect(forker.leaseExpired).toEqual([]);
  });

  test('the lease holds while the event loop of the worker is blocked', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const fence = forker.run({ script: 'sleep 1000' });
    const { pid } = await forker.started(fence);
    forker.forker.lease(200, 0);
    await new Promise((resolve) => setImmediate(resolve));
    const wait = new Int32Array(new SharedArrayBuffer(4));
    const deadline = performance.now() + 20_000;
    while (processLives(pid) && performance.now() < deadline) Atomics.wait(wait, 0, 0, 10);
    expect(processLives(pid)).toBe(false);
    expect(await forker.ended(fence)).toMatchObject({ end: KILLED, cause: 'lease' });
  });

  test('close kills everything at once, daemons too, and still reports', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const file = join(forker.logDir, 'pid');
    const fence = forker.run({ script: `trap "" TERM; echo out; ${daemon(file)}; sleep 1000` });
    const pid = await readPid(file);
    await forker.forker.close();
    const ended = await forker.ended(fence);
    expect(ended).toMatchObject({ end: KILLED, cause: 'shutdown' });
    expect(forker.log(ended).stdout.toString()).toBe('out\n');
    expect(await forker.exit).toMatchObject({ expected: true, unfinished: [] });
    await gone(pid);
  });

  test('when the forker is killed, its exit names what ran and the sweep ends what it left', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const file = join(forker.logDir, 'pid');
    const fence = forker.run({ script: `${daemon(file)}; sleep 1000 & sleep 1000` });
    const { pid } = await forker.started(fence);
    const left = await readPid(file);
    process.kill(forker.forker.pid, 'SIGKILL');
    const exit = await forker.exit;
    if (forker.forker.capabilities.pdeathsig) await gone(pid);
    expect(exit).toMatchObject({ expected: false, signal: 'SIGKILL', unfinished: [{ fence, pid }] });
    expect(await killLeftovers(forker.session)).toBeGreaterThanOrEqual(2);
    await gone(left);
    await gone(pid);
    expect(findMarked(`SPAWN_SESSION=${forker.session}`)).toEqual([]);
    expect(await killLeftovers(forker.session)).toBe(0);
    forker.run({ script: ':' });
    forker.forker.kill(fence, 'cancel', 0);
  });

  test('the sweep compares whole marks', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const fence = forker.run({ script: 'sleep 1000' });
    const { pid } = await forker.started(fence);
    expect(await killLeftovers(forker.session.slice(0, -1))).toBe(0);
    expect(processLives(pid)).toBe(true);
  });

  async function rawForker(): Promise<ChildProcess> {
    const { command, args } = forkerProgram(kind);
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: {} });
    await once(child.stdout!, 'data');
    return child;
  }

  test.each([
    ['an unknown command', [1, 0, 0, 0, 99]],
    ['an empty frame', [0, 0, 0, 0]],
    ['a frame above 32 MiB', [1, 0, 0, 2, 5]],
    ['a frame that ends too early', [3, 0, 0, 0, 7, 1, 1]],
    ['a frame that is too long', [2, 0, 0, 0, 9, 1]],
    ['a list longer than its frame', [10, 0, 0, 0, 1, 1, 0, 0, 0, 255, 255, 255, 255, 0]],
  ])('%s ends the forker with an error', async (_what, bytes) => {
    const child = await rawForker();
    let said = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.stdin!.write(Buffer.from(bytes));
    const [code] = await once(child, 'close');
    expect(code).toBe(3);
    expect(said).toContain('forker: ');
  });

  test('frames may come in any pieces', async () => {
    const child = await rawForker();
    for (const byte of [1, 0, 0, 0, 9]) {
      child.stdin!.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await once(child, 'close')).toEqual([0, null]);
  });

  test('a worker that does not read for a while loses no event', async () => {
    const child = await rawForker();
    const count = 20_000;
    const writer = new FrameWriter();
    const run = { jobId: 1, position: 0, attempt: 1, envId: 1, argv: ['x'], cwd: '/', graceMs: 0, logCapBytes: 0 };
    for (let fence = 1; fence <= count; fence++) writeRun(writer, { ...run, fence });
    const refused: number[] = [];
    const splitter = new FrameSplitter((_type, payload) => refused.push(readRefused(payload).fence));
    child.stdout!.removeAllListeners('data').pause();
    await new Promise((resolve) => child.stdin!.write(writer.take(), resolve));
    child.stdout!.on('data', (chunk: Buffer) => splitter.push(chunk)).resume();
    await until('all events', () => refused.length === count);
    expect(refused).toEqual(Array.from({ length: count }, (_, i) => i + 1));
    child.stdin!.end();
    await once(child, 'close');
  });

  test('a lease that was stuck on its way is as old as it is', async () => {
    const child = await rawForker();
    const types: number[] = [];
    const splitter = new FrameSplitter((type) => types.push(type));
    child.stdout!.on('data', (chunk: Buffer) => splitter.push(chunk));
    const writer = new FrameWriter();
    const sentAtUs = Number(process.hrtime.bigint() / 1000n) - 2_000_000;
    writeCommand(writer, { type: Command.LEASE, ms: 1000, clock: 'boottime', graceMs: 0, sentAtUs });
    child.stdin!.write(writer.take());
    await until('the expiry', () => types.includes(Event.LEASE_EXPIRED));
    child.stdin!.end();
    await once(child, 'close');
    expect(types).toEqual([Event.LEASE_EXPIRED]);
  });

  test('TERM to the forker is the end of its input', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const fence = forker.run({ script: 'sleep 1000' });
    await forker.started(fence);
    process.kill(forker.forker.pid, 'SIGTERM');
    expect(await forker.ended(fence)).toMatchObject({ end: KILLED, cause: 'shutdown' });
    expect(await forker.exit).toMatchObject({ expected: false, code: 0, unfinished: [] });
  });
});
