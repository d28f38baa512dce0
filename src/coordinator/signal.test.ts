import { expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';

/** Tasks 0 and 1 run, 2 is on the worker and has not started, the others wait. */
async function setUp(hello = {}) {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at, { resources: { cpus: 3, memoryBytes: 1_000 }, ...hello });
  const id = await at.submit({ array: '0-9' });
  await worker.start(id, 0);
  await worker.start(id, 1);
  return { at, worker, id };
}

test('what runs is signalled, once, and it is told who was', async () => {
  const { at, worker, id } = await setUp();
  const { tasks, job } = await at.coordinator.signal(CALLER, String(id), { signal: 10, scope: 'all' });
  expect([tasks, job.counts.running]).toEqual([2, 2]);
  const first = worker.fenceOf(id, 0);
  expect(worker.told('signal')).toMatchObject([{ signal: 10, mainOnly: false, fences: [[first, 2]] }]);
  const { events } = await at.coordinator.events(CALLER, { ref: String(id), after: 0, limit: 10 });
  expect(events.at(-1)).toMatchObject({ kind: 'jobSignalled', detail: { tasks: 2, signal: 10, scope: 'all' } });
  expect(at.states(id).slice(0, 2)).toEqual(['running', 'running']);
});

test('some of them alone, by index, reference and state', async () => {
  const { at, worker, id } = await setUp();
  const fence = worker.fenceOf(id, 1);
  await at.coordinator.signal(CALLER, `${id}_1`, { signal: 12, scope: 'main' });
  await at.coordinator.signal(CALLER, String(id), { signal: 9, scope: 'all', index: '1-2' });
  expect(worker.told('signal').map(({ signal, mainOnly, fences }) => [signal, mainOnly, fences])).toEqual([
    [12, true, [[fence, 1]]],
    [9, false, [[fence, 1]]],
  ]);
  expect((await at.coordinator.signal(CALLER, String(id), { signal: 9, scope: 'all', state: 'leased' })).tasks).toBe(0);
});

test('for what srun started alone', async () => {
  const { at, worker, id } = await setUp();
  await at.coordinator.signal(CALLER, `${id}_0`, { signal: 10, scope: 'steps' });
  const fences = [[worker.fenceOf(id, 0), 1]];
  expect(worker.told('signal')).toMatchObject([{ signal: 10, mainOnly: false, steps: true, fences }]);
});

test('what waits or has ended hears nothing, and nothing is recorded of it', async () => {
  const { at, worker, id } = await setUp();
  const held = await at.submit({ hold: true });
  for (const ref of [`${id}_2`, `${id}_9`, String(held)]) {
    expect((await at.coordinator.signal(CALLER, ref, { signal: 15, scope: 'all' })).tasks).toBe(0);
  }
  await at.coordinator.cancel(CALLER, String(held), {});
  at.evictAll();
  expect((await at.coordinator.signal(CALLER, String(held), { signal: 15, scope: 'all' })).tasks).toBe(0);
  expect(worker.told('signal')).toEqual([]);
  const { events } = await at.coordinator.events(CALLER, { after: 0, limit: 100 });
  expect(events.map(({ kind }) => kind)).not.toContain('jobSignalled');
});

test('refused for a task that is not there, a job that is not there, and another one\u2019s job', async () => {
  const { at, id } = await setUp();
  const request = { signal: 15, scope: 'all' } as const;
  await expect(at.coordinator.signal(CALLER, `${id}_10`, request)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  await expect(at.coordinator.signal(CALLER, '99', request)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  const stranger = { ...CALLER, owner: '2', role: 'submit' } as const;
  await expect(at.coordinator.signal(stranger, String(id), request)).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
});

test('a worker that is away gets it when it is back; one of API 1 would not know it', async () => {
  const { at, worker, id } = await setUp();
  worker.disconnect();
  expect((await at.coordinator.signal(CALLER, String(id), { signal: 10, scope: 'all' })).tasks).toBe(2);
  expect(worker.told('signal')).toEqual([]);
  worker.connect();
  expect(worker.told('signal')).toHaveLength(1);
  const old = await setUp({ api: 1 });
  expect((await old.at.coordinator.signal(CALLER, '1', { signal: 10, scope: 'all' })).tasks).toBe(0);
  expect(old.worker.told('signal')).toEqual([]);
});
