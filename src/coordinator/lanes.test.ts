import { expect, test } from 'vitest';
import { expectRoom } from '../../test/support/expect-room.ts';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { until } from '../../test/support/until.ts';
import type { Runs } from './cancel.ts';
import { changePriority, type LaneChange, moveToLane } from './lanes.ts';

const TIMED_OUT = 2 * 256;

async function move(at: LedgerAtHand, id: number, runs: Runs, change: LaneChange): Promise<number> {
  const moved = await at.ledger.write((world) => moveToLane(world, at.job(id), runs, change));
  await at.ledger.idle();
  return moved;
}

/** Of each task: what it asks for now. */
function terms(at: LedgerAtHand, id: number) {
  const job = at.job(id);
  return Array.from({ length: job.size }, (_, position) => {
    const { terms: of, priority, number } = job.laneOf(position);
    return [number, of.memoryBytes, of.timeLimitMs, priority];
  });
}

test('what waits gets its new needs at once, and the worker hears of the lane before its first grant', async () => {
  const at = await LedgerAtHand.open();
  const id = await at.submit({ array: '0-3', memoryBytes: 100, timeLimitMs: 5_000, hold: true });
  expect(await move(at, id, [[1, 2]], { memoryTimes: 2 })).toBe(2);
  const worker = await WorkerAtHand.join(at, { resources: { cpus: 4, memoryBytes: 1_000 } });
  await at.coordinator.release(CALLER, String(id), {});
  await at.ledger.idle();
  expect(terms(at, id)).toEqual([
    [0, 100, 5_000, 0],
    [1, 200, 5_000, 0],
    [1, 200, 5_000, 0],
    [0, 100, 5_000, 0],
  ]);
  const [job, ...more] = worker.told('job');
  expect(more).toEqual([]);
  expect(job!.job.lanes).toEqual([{ lane: 1, cpus: 1, memoryBytes: 200, gpus: 0, resources: {}, timeLimitMs: 5_000 }]);
  const laneOf = (position: number) =>
    worker.told('grant').find(({ runs }) => runs.some(([, from, count]) => position >= from && position < from + count))
      ?.lane;
  expect([0, 1, 2, 3].map(laneOf)).toEqual([undefined, 1, 1, undefined]);
  expect((await at.coordinator.server(CALLER)).sessions).toMatchObject([{ freeCpus: 0, freeMemoryBytes: 400 }]);
  await worker.end(id, [0, 1, 2, 3]);
  expect(at.job(id).state).toBe('completed');
  expect((await at.coordinator.server(CALLER)).sessions).toMatchObject([{ freeCpus: 4, freeMemoryBytes: 1_000 }]);
});

test('a lane that is added when the worker knows the job makes it hear of the whole job again', async () => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at, { resources: { cpus: 1, memoryBytes: 1_000 } });
  const id = await at.submit({ array: '0-2' });
  await move(at, id, [[2, 1]], { timeLimitMs: 9_000 });
  await worker.end(id, [0]);
  await worker.end(id, [1]);
  await worker.end(id, [2]);
  const order = worker.messages.filter(({ type }) => type === 'job' || type === 'grant').map(({ type }) => type);
  expect(order).toEqual(['job', 'grant', 'grant', 'job', 'grant']);
  expect(worker.told('job').map(({ job }) => job.lanes?.length ?? 0)).toEqual([0, 1]);
  expect(worker.told('grant').map(({ lane }) => lane)).toEqual([undefined, undefined, 1]);
});

test('what has not started is asked back, what runs keeps its resources and gets the new time limit', async () => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at, { resources: { cpus: 2, memoryBytes: 1_000 } });
  const id = await at.submit({ array: '0-1', memoryBytes: 100, timeLimitMs: 1_000 });
  await worker.start(id, 0);
  const [running, unstarted] = [worker.fenceOf(id, 0), worker.fenceOf(id, 1)];
  expect(await move(at, id, [[0, 2]], { timeLimitTimes: 3, memoryBytes: 300 })).toBe(2);
  expect(worker.told('revoke').map(({ fences }) => fences)).toEqual([[[unstarted, 1]]]);
  // Should it start before it is asked back, it has the new limit too.
  expect(worker.told('limit').map(({ fences, timeLimitMs }) => [fences, timeLimitMs])).toEqual([
    [[[running, 2]], 3_000],
  ]);
  worker.held.delete(unstarted);
  await worker.say({ returned: [[unstarted, 1]] });
  await at.ledger.idle();
  expect((await at.coordinator.server(CALLER)).sessions).toMatchObject([{ freeCpus: 0, freeMemoryBytes: 600 }]);
  expect(worker.told('grant').map(({ lane }) => lane)).toEqual([undefined, 1]);
  await worker.end(id, [0], TIMED_OUT);
  expect((await at.coordinator.server(CALLER)).sessions).toMatchObject([{ freeCpus: 1, freeMemoryBytes: 700 }]);
});

test('what has ended gets it when it runs again', async () => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at, { resources: { cpus: 2, memoryBytes: 1_000 } });
  const id = await at.submit({ array: '0-1', memoryBytes: 100 });
  await worker.end(id, [0], 5);
  await worker.end(id, [1]);
  expect(await move(at, id, [[0, 1]], { memoryTimes: 1.5 })).toBe(1);
  await at.coordinator.retry(CALLER, String(id), {});
  await at.ledger.idle();
  expect(worker.told('grant').at(-1)).toMatchObject({ lane: 1, attempt: 2 });
  expect((await at.coordinator.server(CALLER)).sessions).toMatchObject([{ freeMemoryBytes: 850 }]);
});

test('lanes, and which task is in which, outlive the coordinator, as does what runs by them', async () => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at, {
    resources: { cpus: 2, memoryBytes: 1_000, gpus: 2, named: { licence: 1 } },
  });
  const id = await at.submit({
    array: '0-4',
    memoryBytes: 100,
    gpus: 0.5,
    resources: { licence: 0.25 },
    timeLimitMs: 50,
  });
  await worker.start(id, 0);
  const running = worker.fenceOf(id, 0);
  await move(
    at,
    id,
    [
      [0, 1],
      [3, 2],
    ],
    { memoryBytes: 400, timeLimitMs: 70, priority: 3 },
  );
  const before = [terms(at, id), (await at.coordinator.server(CALLER)).sessions];
  worker.disconnect();
  await at.restart();
  worker.connect();
  expect(terms(at, id)).toEqual(before[0]);
  // The worker may never have heard of the new limit, or of going back to the old one.
  const told = worker.told('limit').length;
  await worker.resync([running]);
  expect(worker.told('limit').slice(told)).toMatchObject([
    { fences: [[running, 1]], timeLimitMs: 70 },
    { fences: [[worker.fenceOf(id, 1), 1]], timeLimitMs: 50 },
  ]);
  expect((await at.coordinator.server(CALLER)).sessions).toEqual(before[1]);
  expect(before[1]).toMatchObject([{ freeCpus: 0, freeGpus: 1, freeNamed: { licence: 0.5 }, freeMemoryBytes: 800 }]);
  await worker.end(id, [0, 1]);
  expect(worker.told('grant').at(-1)).toMatchObject({ lane: 1 });
});

test('tasks of several lanes each get their own, and what some have already is found', async () => {
  const at = await LedgerAtHand.open();
  const id = await at.submit({ array: '0-5', memoryBytes: 100, hold: true });
  await move(at, id, [[2, 2]], { memoryBytes: 200 });
  expect(
    await move(
      at,
      id,
      [
        [1, 2],
        [4, 1],
      ],
      { memoryTimes: 2 },
    ),
  ).toBe(3);
  expect(terms(at, id).map(([lane, memory]) => [lane, memory])).toEqual([
    [0, 100],
    [1, 200],
    [2, 400],
    [1, 200],
    [1, 200],
    [0, 100],
  ]);
  expect(await move(at, id, [[0, 6]], { memoryBytes: 100 })).toBe(4);
  expect(terms(at, id).every(([lane]) => lane === 0)).toBe(true);
  expect(at.job(id).table.eligible.laneCounts).toEqual([6, 0, 0]);
  expect(await move(at, id, [[0, 6]], { cpus: 1, timeLimitMs: 0 })).toBe(0);
});

test('a job has at most 256 lanes; what would need more changes nothing', async () => {
  const at = await LedgerAtHand.open();
  const id = await at.submit({ array: '0-1', hold: true });
  for (let priority = 1; priority <= 255; priority++) await move(at, id, [[0, 1]], { priority });
  const before = terms(at, id);
  await expect(move(at, id, [[0, 2]], { timeLimitMs: 5 })).rejects.toMatchObject({ code: 'CONFLICT' });
  expect(terms(at, id)).toEqual(before);
  expect(await move(at, id, [[0, 1]], { priority: 7 })).toBe(1);
  await at.restart();
  expect(terms(at, id)).toEqual([
    [7, 0, 0, 7],
    [0, 0, 0, 0],
  ]);
});

test('nothing times two is no need', async () => {
  const at = await LedgerAtHand.open();
  const id = await at.submit({ hold: true });
  await expect(move(at, id, [[0, 1]], { memoryTimes: 2 })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  await expect(move(at, id, [[0, 1]], { timeLimitTimes: 2 })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  expect(at.job(id).lanes).toHaveLength(1);
});

test('a priority of some tasks puts them before others, one of the job moves all its lanes', async () => {
  const at = await LedgerAtHand.open();
  const [first, second] = [await at.submit({ array: '0-2', name: 'first' }), await at.submit({ name: 'second' })];
  await move(at, first, [[2, 1]], { priority: 5 });
  const worker = await WorkerAtHand.join(at, { resources: { cpus: 1, memoryBytes: 1_000 } });
  const order = () => worker.told('grant').map(({ job, runs }) => `${job}_${runs[0]![1]}`);
  expect(order()).toEqual([`${first}_2`]);
  const change = (priority: number) => at.ledger.write((world) => changePriority(world, at.job(first), priority));
  expect([await change(-1), await change(-1)]).toEqual([true, false]);
  expect(terms(at, first).map(([, , , priority]) => priority)).toEqual([-1, -1, -1]);
  await worker.end(first, [2]);
  expect(order().at(-1)).toBe(`${second}_0`);
});

test('a worker of API 1 gets plain tasks alone, and no message that it does not know', async () => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at, { api: 1, resources: { cpus: 9, memoryBytes: 1_000, gpus: 4 } });
  const plain = await at.submit({ array: '0-1', timeLimitMs: 1_000 });
  const others = [{ gpus: 1 }, { outputPath: 'out' }, { timeLimitMs: 10, signal: { number: 10, beforeMs: 5 } }];
  for (const spec of others) await at.submit(spec);
  await worker.start(plain, 0);
  await move(at, plain, [[0, 2]], { timeLimitMs: 2_000 });
  expect(worker.told('limit')).toEqual([]);
  const unstarted = worker.fenceOf(plain, 1);
  worker.held.delete(unstarted);
  await worker.say({ returned: [[unstarted, 1]] });
  await worker.end(plain, [0]);
  expect(worker.told('grant').map(({ job }) => job)).toEqual([plain]);
  expect(at.states(plain)).toEqual(['completed', 'ready']);
  expect((await at.coordinator.job(CALLER, String(plain))).reason).toContain('release');
});

test('a worker that never heard of going back to the first time limit hears of it after a crash', async () => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at);
  const id = await at.submit({ timeLimitMs: 60_000 });
  await at.ledger.idle();
  await worker.start(id, 0);
  await move(at, id, [[0, 1]], { timeLimitMs: 120_000 });
  worker.disconnect();
  await move(at, id, [[0, 1]], { timeLimitMs: 60_000 });
  expect(worker.told('limit').map(({ timeLimitMs }) => timeLimitMs)).toEqual([120_000]);
  await at.restart();
  worker.connect();
  await worker.resync([worker.fenceOf(id, 0)]);
  expect(worker.told('limit').map(({ timeLimitMs }) => timeLimitMs)).toEqual([120_000, 60_000]);
});

test('a share of a GPU keeps its device over a restart, also when a whole one was granted before it', async () => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at, { resources: { cpus: 8, memoryBytes: 1_000, gpus: 2 } });
  const whole = await at.submit({ array: '0-1', gpus: 1 });
  await worker.end(whole, [0]);
  await at.submit({ gpus: 0.5 });
  await at.ledger.idle();
  const [before] = at.ledger.memory.sessions.values();
  expect([...before!.session.room.gpus.used]).toEqual([5_000, 10_000]);
  await at.restart();
  const [after] = at.ledger.memory.sessions.values();
  expectRoom(after!.session);
  expect([...after!.session.room.gpus.used]).toEqual([5_000, 10_000]);
});

test('hundreds of jobs that wait for a GPU keep nobody waiting who needs none', async () => {
  const at = await LedgerAtHand.open();
  await WorkerAtHand.join(at, { resources: { cpus: 8, memoryBytes: 1_000, gpus: 1 } });
  await Promise.all(Array.from({ length: 600 }, () => at.submit({ gpus: 1 })));
  const plain = await at.submit();
  await until('its turn', () => at.states(plain)[0] === 'leased');
});

test('a job all of whose tasks got something else is shown with that, also when it has ended and left', async () => {
  const at = await LedgerAtHand.open();
  const id = await at.submit({ array: '0-1', memoryBytes: 100, timeLimitMs: 50, priority: 1 });
  const shown = async () => {
    const { memoryBytes, timeLimitMs, priority } = await at.coordinator.job(CALLER, String(id));
    return [memoryBytes, timeLimitMs, priority];
  };
  await move(at, id, [[0, 1]], { memoryBytes: 200, timeLimitMs: 70, priority: 2 });
  expect(await shown()).toEqual([100, 50, 1]);
  await move(at, id, [[1, 1]], { memoryBytes: 200, timeLimitMs: 70, priority: 2 });
  expect(await shown()).toEqual([200, 70, 2]);
  await at.coordinator.cancel(CALLER, String(id), {});
  at.evictAll();
  expect(at.ledger.memory.jobs.has(id)).toBe(false);
  expect(await shown()).toEqual([200, 70, 2]);
});
