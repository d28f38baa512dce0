import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  ForkerUnderTest,
  gone,
  KILLED,
  processLives,
  rawForker,
  readPid,
  TERMED,
} from '../../../test/support/forker-under-test.ts';
import { until } from '../../../test/support/until.ts';
import { writeCommand } from './commands.ts';
import { Command, Event } from './protocol.ts';
import { FrameSplitter, FrameWriter } from './wire.ts';

describe.each(['native', 'node'] as const)('%s forker: lease', (kind) => {
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

  if (kind === 'native')
    test('the lease holds even when the forker is stopped', async () => {
      await using forker = await ForkerUnderTest.start(kind);
      const fence = forker.run({ script: 'sleep 1000' });
      const { pid } = await forker.started(fence);
      forker.forker.lease(1000, 0);
      await forker.answer(forker.run({ script: ':' }));
      process.kill(forker.forker.pid, 'SIGSTOP');
      expect(await forker.exit).toMatchObject({ expected: false, signal: 'SIGKILL', unfinished: [{ fence, pid }] });
      await gone(pid);
    });

  test('a lease that has done its work leaves the forker alone', async () => {
    await using idle = await ForkerUnderTest.start(kind);
    await using busy = await ForkerUnderTest.start(kind);
    await using clock = await ForkerUnderTest.start(kind);
    const ready = join(busy.logDir, 'ready');
    const fence = busy.run({ script: `trap "" TERM; echo 1 > ${ready}; while :; do sleep 0.05; done` });
    await readPid(ready);
    idle.forker.lease(50, 0);
    busy.forker.lease(50, 50);
    expect(await busy.ended(fence)).toMatchObject({ end: KILLED, cause: 'lease' });
    // Longer than a forker that is stuck would live.
    await clock.complete('sleep 1.5');
    for (const forker of [idle, busy]) {
      forker.forker.lease(600_000, 0);
      expect((await forker.complete('exit 0')).ended.end).toEqual({ kind: 'exited', code: 0 });
    }
  });

  test('a lease that was stuck on its way is as old as it is', async () => {
    const child = await rawForker(kind);
    const types: number[] = [];
    const splitter = new FrameSplitter((type) => types.push(type));
    child.stdout.on('data', (chunk: Buffer) => splitter.push(chunk));
    const writer = new FrameWriter();
    const sentAtUs = Number(process.hrtime.bigint() / 1000n) - 2_000_000;
    writeCommand(writer, { type: Command.LEASE, ms: 1000, clock: 'boottime', graceMs: 0, sentAtUs });
    child.stdin.write(writer.take());
    await until('the expiry', () => types.includes(Event.LEASE_EXPIRED));
    child.stdin.end();
    await once(child, 'close');
    expect(types).toEqual([Event.LEASE_EXPIRED]);
  });
});
