import { beforeEach, describe, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { TasksQuery } from '../api/job.ts';
import { FIRST_RAW_ID } from '../core/ids.ts';

let at: LedgerAtHand;

beforeEach(async () => {
  at = await LedgerAtHand.open();
});

const rawId = async (ref: string): Promise<string> =>
  String((await at.coordinator.tasks(CALLER, ref, TasksQuery.parse({}))).tasks[0]!.rawId);

/** Three arrays, of which the second has gaps. */
async function three(): Promise<void> {
  await at.submit({ array: '0-9' });
  await at.submit({ array: '3,7,100' });
  await at.submit({ array: '0-1' });
}

describe('a raw number', () => {
  test('names one task, for every verb', async () => {
    await three();
    const raw = await rawId('2_7');
    expect(Number(raw)).toBe(FIRST_RAW_ID + 11);
    expect(await at.coordinator.hold(CALLER, raw, {})).toMatchObject({ job: { id: 2, held: false }, tasks: 1 });
    expect(await at.coordinator.release(CALLER, raw, {})).toMatchObject({ tasks: 1 });
    expect(await at.coordinator.update(CALLER, raw, { priority: 5 })).toMatchObject({ job: { id: 2 }, tasks: 1 });
    expect(await at.coordinator.cancel(CALLER, raw, {})).toMatchObject({ job: { id: 2, size: 3 }, tasks: 1 });
    expect(at.states(2)).toEqual(['ready', 'cancelled', 'ready']);
    expect(await at.coordinator.requeue(CALLER, raw, {})).toMatchObject({ tasks: 1 });
    const { tasks } = await at.coordinator.tasks(CALLER, raw, TasksQuery.parse({}));
    expect(tasks.map(({ id }) => id)).toEqual(['2_7']);
    expect((await at.coordinator.job(CALLER, raw)).id).toBe(2);
  });

  test('is found in history, and its task runs again', async () => {
    await three();
    const [first, last] = [await rawId('2_3'), await rawId('2_100')];
    await at.coordinator.cancel(CALLER, '2', {});
    at.evictAll();
    const { tasks } = await at.coordinator.tasks(CALLER, first, TasksQuery.parse({}));
    expect(tasks.map(({ id, state }) => [id, state])).toEqual([['2_3', 'cancelled']]);
    expect(await at.coordinator.retry(CALLER, last, {})).toMatchObject({ job: { id: 2 }, tasks: 1 });
    expect(at.states(2)).toEqual(['cancelled', 'cancelled', 'ready']);
  });

  test('that nothing has is not found', async () => {
    await expect(at.coordinator.job(CALLER, String(FIRST_RAW_ID))).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    await three();
    const last = FIRST_RAW_ID + 14;
    expect((await at.coordinator.job(CALLER, String(last))).id).toBe(3);
    await expect(at.coordinator.cancel(CALLER, String(last + 1), {})).rejects.toMatchObject({
      code: 'JOB_NOT_FOUND',
      message: `job "${last + 1}" not found`,
    });
  });

  test('that an earlier release gave the task of a job without an array means that job', async () => {
    await at.submit();
    expect(await at.coordinator.cancel(CALLER, String(FIRST_RAW_ID), {})).toMatchObject({
      job: { id: 1, state: 'cancelled' },
    });
  });
});

describe('a dependency on a raw number', () => {
  test('waits for that task alone, and says so by its index', async () => {
    await three();
    const raw = await rawId('2_7');
    await at.submit({ after: `afterok:${raw}` });
    expect((await at.coordinator.job(CALLER, '4')).after).toBe('afterok:2_7');
    await at.submit();
    await at.coordinator.update(CALLER, '5', { after: `afterany:${raw}:1,afterok:3_0` });
    expect((await at.coordinator.job(CALLER, '5')).after).toBe('afterany:2_7,afterany:1,afterok:3_0');
    await at.restart();
    const worker = await WorkerAtHand.join(at, { resources: { cpus: 20, memoryBytes: 2 ** 30 } });
    expect(at.states(4)).toEqual(['blocked']);
    await worker.start(2, 1);
    await worker.end(2, [1]);
    expect(at.states(4)).not.toEqual(['blocked']);
    expect(at.states(5)).toEqual(['blocked']);
  });

  test('of a task that ended long ago is decided from history', async () => {
    await three();
    const raw = await rawId('2_100');
    await at.coordinator.cancel(CALLER, '2', {});
    at.evictAll();
    await at.submit({ after: `afterok:${raw}` });
    expect((await at.coordinator.job(CALLER, '4')).state).toBe('skipped');
  });

  test('that nothing has is refused', async () => {
    await three();
    const unknown = { code: 'DEPENDENCY_UNKNOWN_JOB' };
    await expect(at.submit({ after: `afterok:${FIRST_RAW_ID + 15}` })).rejects.toMatchObject(unknown);
    await expect(at.submit({ after: `afterok:${FIRST_RAW_ID}_3` })).rejects.toMatchObject(unknown);
    const change = { after: `afterok:${FIRST_RAW_ID + 15}` };
    await expect(at.coordinator.update(CALLER, '1', change)).rejects.toMatchObject(unknown);
  });
});
