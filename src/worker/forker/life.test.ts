import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  daemon,
  ForkerUnderTest,
  gone,
  KILLED,
  processLives,
  rawForker,
  readPid,
} from '../../../test/support/forker-under-test.ts';
import { until } from '../../../test/support/until.ts';
import { writeRun } from './commands.ts';
import { readRefused } from './events.ts';
import { findMarked, killLeftovers } from './sweep.ts';
import { FrameSplitter, FrameWriter } from './wire.ts';

describe.each(['native', 'node'] as const)('%s forker: its own life', (kind) => {
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

  test.each([
    ['an unknown command', [1, 0, 0, 0, 99]],
    ['an empty frame', [0, 0, 0, 0]],
    ['a frame above 32 MiB', [1, 0, 0, 2, 5]],
    ['a frame that ends too early', [3, 0, 0, 0, 7, 1, 1]],
    ['a frame that is too long', [2, 0, 0, 0, 9, 1]],
    ['a list longer than its frame', [10, 0, 0, 0, 1, 1, 0, 0, 0, 255, 255, 255, 255, 0]],
  ])('%s ends the forker with an error', async (_what, bytes) => {
    const child = await rawForker(kind);
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.stdin.write(Buffer.from(bytes));
    const [code] = await once(child, 'close');
    expect(code).toBe(3);
    expect(said).toContain('forker: ');
  });

  test('frames may come in any pieces', async () => {
    const child = await rawForker(kind);
    for (const byte of [1, 0, 0, 0, 9]) {
      child.stdin.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await once(child, 'close')).toEqual([0, null]);
  });

  test('a worker that does not read for a while loses no event', async () => {
    const child = await rawForker(kind);
    const count = 20_000;
    const writer = new FrameWriter();
    const run = { jobId: 1, position: 0, attempt: 1, envId: 1, argv: ['x'], cwd: '/', graceMs: 0, logCapBytes: 0 };
    for (let fence = 1; fence <= count; fence++) writeRun(writer, { ...run, fence });
    const refused: number[] = [];
    const splitter = new FrameSplitter((_type, payload) => refused.push(readRefused(payload).fence));
    child.stdout.removeAllListeners('data').pause();
    await new Promise((resolve) => child.stdin.write(writer.take(), resolve));
    child.stdout.on('data', (chunk: Buffer) => splitter.push(chunk)).resume();
    await until('all events', () => refused.length === count);
    expect(refused).toEqual(Array.from({ length: count }, (_, i) => i + 1));
    child.stdin.end();
    await once(child, 'close');
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
