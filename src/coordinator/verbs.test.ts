import { beforeEach, describe, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { TasksQuery } from '../api/job.ts';

const CANCELLED = 4 * 256;

let at: LedgerAtHand;

beforeEach(async () => {
  at = await LedgerAtHand.open();
});

describe('a verb on elements touches exactly these:', () => {
  test.each([
    ['12_0', '_0', ['cancelled', 'ready', 'ready', 'ready', 'ready']],
    ['the last of the array', '_8', ['ready', 'ready', 'ready', 'ready', 'cancelled']],
    ['a bracket range with a step', '_[0-8:4]', ['cancelled', 'ready', 'cancelled', 'ready', 'cancelled']],
    ['a list', '_[2,6]', ['ready', 'cancelled', 'ready', 'cancelled', 'ready']],
  ])('%s', async (_, ref, states) => {
    const id = await at.submit({ array: '0-8:2' });
    const tasks = states.filter((state) => state === 'cancelled').length;
    expect(await at.coordinator.cancel(CALLER, `${id}${ref}`, {})).toMatchObject({ tasks });
    expect(at.states(id)).toEqual(states);
    await at.restart();
    expect(at.states(id)).toEqual(states);
  });

  test('the last pending one, while the others run', async () => {
    const worker = await WorkerAtHand.join(at);
    const id = await at.submit({ array: '0-2' });
    await worker.start(id, 0, 1);
    expect(await at.coordinator.cancel(CALLER, `${id}_2`, {})).toMatchObject({ tasks: 1 });
    expect(at.states(id)).toEqual(['running', 'running', 'cancelled']);
    expect(worker.told('cancel')).toEqual([]);
  });

  test('of a reference and an index set what both name', async () => {
    const id = await at.submit({ array: '0-4' });
    await at.coordinator.cancel(CALLER, `${id}_[1-3]`, { index: '2-3' });
    expect(at.states(id)).toEqual(['ready', 'ready', 'cancelled', 'cancelled', 'ready']);
  });

  test('none when one of them is not in the array', async () => {
    const id = await at.submit({ array: '0-4' });
    await expect(at.coordinator.cancel(CALLER, `${id}_[3-5]`, {})).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    await expect(at.coordinator.cancel(CALLER, `${id}_1`, { index: '2' })).rejects.toMatchObject({
      code: 'TASK_NOT_FOUND',
    });
    expect(new Set(at.states(id))).toEqual(new Set(['ready']));
  });
});

describe('cancel', () => {
  test('asks the workers for what they hold, and has it end cancelled whatever they say', async () => {
    const worker = await WorkerAtHand.join(at, { resources: { cpus: 4, memoryBytes: 0 } });
    const id = await at.submit({ array: '0-4', retries: 3 });
    await worker.start(id, 0, 1);
    expect(await at.coordinator.cancel(CALLER, String(id), {})).toMatchObject({ tasks: 5 });
    const fences = [0, 1, 2, 3].map((position) => worker.fenceOf(id, position));
    expect(worker.told('cancel').map((message) => message.fences)).toEqual([[[fences[0], 4]]]);
    expect(at.states(id)).toEqual(['running', 'running', 'leased', 'leased', 'cancelled']);
    await worker.end(id, [0], CANCELLED);
    await worker.end(id, [1], 3);
    worker.held.clear();
    await worker.say({ returned: [[fences[2]!, 1]] });
    await at.coordinator.loseSession(worker.sessionId, 'a test');
    expect(new Set(at.states(id))).toEqual(new Set(['cancelled']));
    expect((await at.coordinator.job(CALLER, String(id))).state).toBe('cancelled');
  });

  test('of what has ended changes nothing', async () => {
    const worker = await WorkerAtHand.join(at);
    const id = await at.submit();
    await worker.end(id, [0]);
    expect(await at.coordinator.cancel(CALLER, String(id), {})).toMatchObject({ tasks: 0 });
    expect(at.states(id)).toEqual(['completed']);
  });
});

describe('requeue of a job of Slurm', () => {
  test('with hold keeps what it sends back, and no other tasks, also after a restart', async () => {
    const id = await at.submit({ array: '0-3' });
    await at.coordinator.cancel(CALLER, `${id}_3`, {});
    const worker = await WorkerAtHand.join(at, { resources: { cpus: 2, memoryBytes: 2 ** 30 } });
    await worker.start(id, 0, 1);
    await worker.end(id, [0]);
    expect(await at.coordinator.requeue(CALLER, `${id}_[0-1]`, { hold: true })).toMatchObject({ tasks: 2 });
    await worker.end(id, [1], CANCELLED);
    await at.ledger.idle();
    expect(at.states(id)).toEqual(['ready', 'ready', 'leased', 'cancelled']);
    await at.restart();
    const { tasks, next } = await at.coordinator.tasks(CALLER, String(id), TasksQuery.parse({ limit: 2 }));
    expect(tasks.map(({ reason, attempt }) => [reason, attempt])).toEqual([
      ['held by a user', 1],
      ['held by a user', 1],
    ]);
    expect(next).toBe(1);
    expect(await at.coordinator.requeue(CALLER, `${id}_3`, { hold: true })).toMatchObject({ tasks: 1 });
    expect(await at.coordinator.release(CALLER, String(id), { state: 'ready' })).toMatchObject({ tasks: 3 });
  });

  test('is refused where the job was submitted so, and a lost attempt is not followed by another', async () => {
    const worker = await WorkerAtHand.join(at);
    const id = await at.submit({ slurm: { requeue: false } });
    await worker.start(id, 0);
    await expect(at.coordinator.requeue(CALLER, String(id), {})).rejects.toMatchObject({ code: 'REQUEUE_DISABLED' });
    await at.coordinator.bye(CALLER, worker.sessionId);
    await at.ledger.idle();
    expect(at.states(id)).toEqual(['failed']);
    await expect(at.coordinator.requeue(CALLER, String(id), {})).rejects.toMatchObject({
      message: `job "${id}": expected one that may be requeued, found one for which that is switched off; retry runs again what failed`,
    });
    expect(await at.coordinator.retry(CALLER, String(id), {})).toMatchObject({ tasks: 1 });
  });
});

describe('hold', () => {
  test('takes back what has not started, and release lets it go', async () => {
    const worker = await WorkerAtHand.join(at);
    const id = await at.submit({ array: '0-2' });
    await worker.start(id, 0);
    await at.coordinator.hold(CALLER, String(id), {});
    const fence = worker.fenceOf(id, 1);
    expect(worker.told('revoke').map((message) => message.fences)).toEqual([[[fence, 1]]]);
    worker.held.delete(fence);
    await worker.say({ returned: [[fence, 1]] });
    await worker.end(id, [0]);
    expect(at.states(id)).toEqual(['completed', 'ready', 'ready']);
    expect(await at.coordinator.job(CALLER, String(id))).toMatchObject({ state: 'held', held: true });
    await at.coordinator.release(CALLER, String(id), {});
    await at.ledger.idle();
    expect(at.states(id)).toEqual(['completed', 'leased', 'leased']);
  });

  test('of a whole job leaves its other tasks held when some are released, also after a restart', async () => {
    const id = await at.submit({ array: '1-4', hold: true });
    await at.coordinator.cancel(CALLER, `${id}_4`, {});
    expect(await at.coordinator.release(CALLER, `${id}_2`, {})).toMatchObject({ tasks: 1, job: { held: false } });
    await at.restart();
    await WorkerAtHand.join(at, { resources: { cpus: 9, memoryBytes: 2 ** 30 } });
    expect(at.states(id)).toEqual(['ready', 'leased', 'ready', 'cancelled']);
    const { tasks } = await at.coordinator.tasks(CALLER, String(id), TasksQuery.parse({}));
    expect(tasks.slice(0, 3).map(({ reason }) => reason)).toEqual(['held by a user', undefined, 'held by a user']);
    expect(await at.coordinator.release(CALLER, `${id}_[3]`, {})).toMatchObject({ tasks: 1 });
    await at.ledger.idle();
    expect(at.states(id)).toEqual(['ready', 'leased', 'leased', 'cancelled']);
    expect(await at.coordinator.release(CALLER, String(id), {})).toMatchObject({ tasks: 3 });
    await at.ledger.idle();
    expect(at.states(id)).toEqual(['leased', 'leased', 'leased', 'cancelled']);
  });

  test('of a whole job stays when only tasks that have ended are released', async () => {
    const id = await at.submit({ array: '1-2', hold: true });
    await at.coordinator.cancel(CALLER, `${id}_1`, {});
    expect(await at.coordinator.release(CALLER, `${id}_1`, {})).toMatchObject({ tasks: 0, job: { held: true } });
    expect(await at.coordinator.release(CALLER, String(id), { state: 'running' })).toMatchObject({ tasks: 0 });
    expect(at.job(id).held).toBe(true);
  });

  test('of an ended job is refused', async () => {
    const id = await at.submit();
    await at.coordinator.cancel(CALLER, String(id), {});
    await expect(at.coordinator.hold(CALLER, String(id), {})).rejects.toMatchObject({ code: 'JOB_ENDED' });
  });
});

describe('requeue', () => {
  test('stops what runs, runs it again and counts no failure', async () => {
    const worker = await WorkerAtHand.join(at);
    const id = await at.submit({ array: '0-1' });
    await worker.start(id, 0, 1);
    await at.coordinator.requeue(CALLER, `${id}_1`, {});
    await worker.end(id, [1], CANCELLED);
    expect(at.states(id)).toEqual(['running', 'leased']);
    expect(at.job(id).table.failures?.[1] ?? 0).toBe(0);
    expect(at.job(id).retried).toBe(1);
  });
});

describe('throttle', () => {
  test('bounds what is leased and running; a lower one kills nothing and takes back what has not started', async () => {
    const worker = await WorkerAtHand.join(at, { resources: { cpus: 8, memoryBytes: 0 } });
    const id = await at.submit({ array: '0-9', throttle: 4 });
    expect(worker.held.size).toBe(4);
    await worker.start(id, 0, 1);
    await at.coordinator.update(CALLER, String(id), { throttle: 3 });
    expect(worker.told('cancel')).toEqual([]);
    expect(worker.told('revoke')).toHaveLength(1);
    await at.coordinator.update(CALLER, String(id), { throttle: 0 });
    await at.ledger.idle();
    expect(worker.held.size).toBe(8);
  });

  test('of one task, or nothing to change, is refused', async () => {
    const id = await at.submit({ array: '0-9' });
    await expect(at.coordinator.update(CALLER, `${id}_1`, { throttle: 1 })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    });
    await expect(at.coordinator.update(CALLER, String(id), {})).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });
});

describe('a job that failed too often', () => {
  test('may have some of its failures retried', async () => {
    const worker = await WorkerAtHand.join(at, { resources: { cpus: 4, memoryBytes: 0 } });
    const id = await at.submit({ array: '0-5', maxFailures: 0 });
    await worker.end(id, [0, 1, 2, 3], 3);
    expect(at.states(id)).toEqual(['failed', 'failed', 'failed', 'failed', 'cancelled', 'cancelled']);
    expect(await at.coordinator.job(CALLER, String(id))).toMatchObject({ reason: 'max failures reached' });
    await at.coordinator.retry(CALLER, `${id}_[0-1]`, {});
    await at.ledger.idle();
    await worker.end(id, [0]);
    expect(at.states(id).slice(0, 2)).toEqual(['completed', 'leased']);
    await worker.end(id, [1]);
    expect(await at.coordinator.job(CALLER, String(id))).toMatchObject({ state: 'failed', exitCode: 3 });
  });
});
