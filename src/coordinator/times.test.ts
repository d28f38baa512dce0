import { beforeEach, describe, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { until } from '../../test/support/until.ts';
import { AlarmLoop } from './loops/alarms.ts';
import { setTimes } from './times.ts';
import type { World } from './world.ts';

const HOUR = 3_600_000;
const CANCELLED = 4 * 256;

let at: LedgerAtHand;
let worker: WorkerAtHand;
let loop: AlarmLoop;

beforeEach(async () => {
  at = await LedgerAtHand.open();
  worker = await WorkerAtHand.join(at, { resources: { cpus: 4, memoryBytes: 0 } });
  loop = new AlarmLoop(at.ledger);
});

async function pass(ms: number): Promise<void> {
  at.clock.pass(ms);
  await new Promise((resolve) => setImmediate(resolve));
  await at.ledger.idle();
}

async function restart(): Promise<void> {
  loop.stop();
  await at.restart();
  loop = new AlarmLoop(at.ledger);
  const { earliest } = at.ledger.memory.alarms;
  if (earliest !== undefined) at.ledger.alarmSet(earliest);
  worker.connect();
  await worker.resync();
}

async function change(work: (world: World) => void): Promise<void> {
  await at.ledger.write(work);
  await at.ledger.idle();
}

function view(id: number) {
  return at.coordinator.job(CALLER, String(id));
}

function events(kind: string): unknown[] {
  return at.disk.content.events.filter((event) => event.kind === kind).map(({ detail }) => JSON.parse(detail));
}

describe('a job that begins later', () => {
  test('is granted nothing before, says when, and is granted then', async () => {
    const id = await at.submit({ array: '0-2', beginInMs: HOUR });
    await at.ledger.idle();
    const beginAt = at.clock.nowMs + HOUR;
    expect(await view(id)).toMatchObject({
      state: 'ready',
      beginAt,
      reason: `begins at ${new Date(beginAt).toISOString()}`,
    });
    await pass(HOUR - 1);
    expect(worker.held.size).toBe(0);
    await pass(1);
    await until('the grants', () => worker.held.size === 3);
    expect((await view(id)).beginAt).toBe(beginAt);
  });

  test('begins also when the coordinator was restarted before, or at that time', async () => {
    const id = await at.submit({ beginInMs: HOUR });
    await restart();
    expect(at.states(id)).toEqual(['ready']);
    await pass(HOUR);
    await until('the grant', () => worker.held.size === 1);
    const second = await at.submit({ beginInMs: HOUR });
    at.clock.pass(HOUR);
    await restart();
    await until('the grant', () => at.states(second)[0] === 'leased');
  });

  test('begins at once when that time has passed', async () => {
    const id = await at.submit({ beginAt: at.clock.nowMs - 1 });
    await until('the grant', () => worker.held.size === 1);
    expect((await view(id)).beginAt).toBe(at.clock.nowMs - 1);
  });

  test('is given another time, or none: unstarted grants are taken back, what runs goes on', async () => {
    const id = await at.submit({ array: '0-2' });
    await until('the grants', () => worker.held.size === 3);
    await worker.start(id, 0);
    await change((world) => setTimes(world, at.job(id), { beginAt: world.now + HOUR, deadlineAt: undefined }));
    const unstarted = [1, 2].map((position) => worker.fenceOf(id, position));
    expect(worker.told('revoke').flatMap(({ fences }) => fences)).toEqual([[unstarted[0], 2]]);
    for (const fence of unstarted) worker.held.delete(fence);
    await worker.say({ returned: [[unstarted[0]!, 2]] });
    await at.ledger.idle();
    expect(at.states(id)).toEqual(['running', 'ready', 'ready']);
    await change((world) => setTimes(world, at.job(id), { beginAt: null, deadlineAt: undefined }));
    expect(at.states(id)).toEqual(['running', 'leased', 'leased']);
    expect(await view(id)).not.toHaveProperty('beginAt');
  });

  test('waits also after it was cancelled and retried', async () => {
    const id = await at.submit({ beginInMs: HOUR });
    await at.coordinator.cancel(CALLER, String(id), {});
    at.evictAll();
    await at.coordinator.retry(CALLER, String(id), {});
    expect(at.states(id)).toEqual(['ready']);
    await pass(HOUR);
    await until('the grant', () => worker.held.size === 1);
  });
});

describe('a deadline', () => {
  test('cancels what has not ended, what runs by its worker', async () => {
    const id = await at.submit({ array: '0-5', deadlineInMs: HOUR });
    const later = await at.submit({ after: `afterany:${id}` });
    await until('the grants', () => worker.held.size === 4);
    await worker.end(id, [0]);
    await worker.start(id, 1);
    await pass(HOUR - 1);
    expect(worker.told('cancel')).toEqual([]);
    await pass(1);
    await until('the cancel', () => worker.told('cancel').length === 1);
    expect(events('deadlinePassed')).toEqual([{ cancelled: 5 }]);
    for (const { position } of [...worker.held.values()]) await worker.end(id, [position], CANCELLED);
    expect(await view(id)).toMatchObject({
      state: 'cancelled',
      reason: 'deadline passed',
      deadlineAt: at.clock.nowMs,
      counts: { completed: 1, cancelled: 5 },
    });
    const { tasks } = await at.coordinator.tasks(CALLER, String(id), { limit: 9, after: -1 });
    expect(tasks.map(({ reason }) => reason)).toEqual([undefined, ...Array(5).fill('deadline passed')]);
    expect(at.states(later)).not.toContain('blocked');
    at.evictAll();
    expect(await view(id)).toMatchObject({ reason: 'deadline passed', deadlineAt: at.clock.nowMs - 1 });
  });

  test('holds while the coordinator is away', async () => {
    const id = await at.submit({ array: '0-5', hold: true, deadlineInMs: HOUR });
    at.clock.pass(HOUR);
    await restart();
    await pass(0);
    await until('the end', () => at.states(id).every((state) => state === 'cancelled'));
  });

  test('is cleared by a retry once it has passed, and kept before', async () => {
    const id = await at.submit({ hold: true, deadlineInMs: HOUR });
    await at.coordinator.cancel(CALLER, String(id), {});
    at.evictAll();
    await at.coordinator.retry(CALLER, String(id), {});
    const { deadlineAt } = await view(id);
    expect(deadlineAt).toBe(at.clock.nowMs + HOUR - 1);
    await pass(HOUR);
    await until('the end', () => at.states(id)[0] === 'cancelled');
    await at.coordinator.retry(CALLER, String(id), {});
    expect(await view(id)).not.toHaveProperty('deadlineAt');
    expect(events('deadlineChanged')).toEqual([{ deadlineAt: null }]);
    await pass(HOUR);
    expect(at.states(id)).toEqual(['ready']);
    await at.coordinator.release(CALLER, String(id), {});
    await until('the grant', () => worker.held.size === 1);
  });

  test('is moved, and removed', async () => {
    const id = await at.submit({ hold: true });
    await change((world) => setTimes(world, at.job(id), { beginAt: undefined, deadlineAt: world.now + HOUR }));
    await change((world) => setTimes(world, at.job(id), { beginAt: undefined, deadlineAt: world.now + 2 * HOUR }));
    await pass(HOUR);
    expect(at.states(id)).toEqual(['ready']);
    await change((world) => setTimes(world, at.job(id), { beginAt: undefined, deadlineAt: world.now + 1_000 }));
    await change((world) => setTimes(world, at.job(id), { beginAt: undefined, deadlineAt: null }));
    await pass(2 * HOUR);
    expect(at.states(id)).toEqual(['ready']);
    await change((world) => setTimes(world, at.job(id), { beginAt: undefined, deadlineAt: world.now + 1_000 }));
    await pass(1_000);
    await until('the end', () => at.states(id)[0] === 'cancelled');
  });

  test('that is being carried out is in the way of no other change, and gone for what waits again', async () => {
    const broken = await at.submit();
    await worker.end(broken, [0], 1);
    const id = await at.submit({ array: '0-4', deadlineInMs: HOUR });
    await at.ledger.idle();
    await worker.start(id, 0, 1);
    await at.coordinator.update(CALLER, `${id}_4`, { after: `afterok:${broken}` });
    await pass(HOUR);
    expect(at.states(id)).toEqual(['running', 'running', 'leased', 'leased', 'skipped']);
    expect(await at.coordinator.update(CALLER, String(id), { priority: 3 })).toMatchObject({ tasks: 4 });
    await at.coordinator.update(CALLER, `${id}_4`, { after: '' });
    await worker.end(id, [0, 1, 2, 3], CANCELLED);
    expect(at.states(id)).toEqual(['cancelled', 'cancelled', 'cancelled', 'cancelled', 'leased']);
  });

  test('must come after now and after the begin', async () => {
    const { nowMs } = at.clock;
    const text = (ms: number) => JSON.stringify(new Date(nowMs + ms).toISOString());
    await expect(at.submit({ deadlineAt: 0 })).rejects.toThrow('spec.deadlineAt: expected a time in the future');
    await expect(at.submit({ deadlineAt: nowMs })).rejects.toThrow(
      `spec.deadlineAt: expected a time in the future, found ${text(0)}`,
    );
    await expect(at.submit({ beginInMs: 5, deadlineInMs: 5 })).rejects.toThrow(
      `spec.deadlineAt: expected a time after it begins (${text(5).slice(1, -1)}), found ${text(5)}`,
    );
    const id = await at.submit({ deadlineInMs: HOUR });
    await expect(
      change((world) => setTimes(world, at.job(id), { beginAt: world.now + HOUR, deadlineAt: undefined })),
    ).rejects.toThrow('deadlineAt');
    await expect(
      change((world) => setTimes(world, at.job(id), { beginAt: undefined, deadlineAt: world.now })),
    ).rejects.toThrow('deadlineAt');
    expect(at.job(id)).toMatchObject({ beginAt: 0, deadlineAt: nowMs + HOUR, shut: false });
  });
});
