import { describe, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';

const LOST = 6 * 256;

async function open(): Promise<{ at: LedgerAtHand; worker: WorkerAtHand }> {
  const at = await LedgerAtHand.open();
  return { at, worker: await WorkerAtHand.join(at) };
}

describe('a worker that meets the next coordinator', () => {
  test('is told again to stop what was cancelled, and to give back what is held', async () => {
    const { at, worker } = await open();
    const id = await at.submit({ array: '0-1' });
    const other = await at.submit({ name: 'other' });
    await worker.start(id, 0);
    await worker.end(id, [1]);
    const running = worker.fenceOf(id, 0);
    const unstarted = worker.fenceOf(other, 0);
    // The coordinator dies after the requests are durable and before it has told the worker.
    worker.disconnect();
    await at.coordinator.cancel(CALLER, `${id}_0`, {});
    await at.coordinator.hold(CALLER, String(other), {});
    await at.restart();
    worker.connect();
    await worker.resync([running]);
    expect(worker.told('cancel').map(({ fences }) => fences)).toEqual([[[running, 1]]]);
    expect(worker.told('revoke').map(({ fences }) => fences)).toEqual([[[unstarted, 1]]]);
    worker.held.delete(unstarted);
    await worker.say({ returned: [[unstarted, 1]] });
    await worker.end(id, [0], 4 * 256);
    expect([at.states(id), at.states(other)]).toEqual([['cancelled', 'completed'], ['ready']]);
  });

  test('keeps what both know of, gets again what it does not hold, and drops what is not its own', async () => {
    const { at, worker } = await open();
    const id = await at.submit({ array: '0-1' });
    const fence = worker.fenceOf(id, 1);
    await worker.start(id, 0);
    await at.restart();
    worker.connect();
    const started = worker.fenceOf(id, 0);
    worker.held.delete(fence);
    worker.held.set(999, { job: id, position: 0 });
    expect(await worker.say()).toMatchObject({ resync: true });
    await worker.resync([started]);
    expect(worker.told('drop').map(({ fences }) => fences)).toEqual([[[999, 1]]]);
    worker.held.delete(999);
    expect(worker.held.has(fence)).toBe(true);
    expect(at.states(id)).toEqual(['running', 'leased']);
    expect(await worker.say()).toMatchObject({ resync: false });
  });
});

describe('a report', () => {
  test('is taken once: the same end again is stale and changes nothing', async () => {
    const { at, worker } = await open();
    const id = await at.submit({ retries: 5 });
    const fence = worker.fenceOf(id, 0);
    await worker.end(id, [0], 3);
    expect(await worker.say({ ends: { runs: [[fence, 1]], outcome: [0] } })).toMatchObject({ stale: 1 });
    expect(at.states(id)).toEqual(['leased']);
    expect(at.job(id).table.failures![0]).toBe(1);
  });

  test('of a start that was never told counts from its end', async () => {
    const { at, worker } = await open();
    const id = await at.submit();
    await worker.end(id, [0], 0);
    expect(at.states(id)).toEqual(['completed']);
    expect(at.job(id).table.attempts[0]).toBe(1);
  });

  test('of a start in the dawn of time is told as of the time when the job was submitted', async () => {
    const { at, worker } = await open();
    const job = await at.submit();
    await at.ledger.idle();
    at.clock.pass(60_000);
    await worker.say({ starts: { fences: [worker.fenceOf(job, 0)], agoMs: [Number.MAX_SAFE_INTEGER] } });
    const { createdAt, startedAt } = await at.coordinator.job(CALLER, `${job}`);
    expect(startedAt).toBe(createdAt);
  });

  test('of an attempt that the worker forgot makes it lost, and of an unstarted one makes it ready', async () => {
    const { at, worker } = await open();
    const id = await at.submit({ array: '0-1' });
    await worker.start(id, 0);
    worker.held.clear();
    await worker.resync();
    expect(at.job(id).table.losses![0]).toBe(1);
    expect(at.states(id)).toEqual(['leased', 'leased']);
    const { tasks } = await at.coordinator.tasks(CALLER, String(id), { limit: 10, after: -1 });
    expect(tasks.map(({ outcome, attempt }) => [outcome, attempt])).toEqual([
      ['worker lost', 1],
      [undefined, 0],
    ]);
  });
});

describe('what makes no sense is refused and changes nothing:', () => {
  const cases: [string, object][] = [
    ['an outcome of no kind', { ends: { runs: [[1, 1]], outcome: [9_999] } }],
    ['an outcome that is no byte', { ends: { runs: [[1, 1]], outcome: [-1] } }],
    ['a column that is too short', { ends: { runs: [[1, 2]], outcome: [0] } }],
    ['a column that is too long', { starts: { fences: [1], logOffset: [0, 0] } }],
    ['a negative measurement', { ends: { runs: [[1, 1]], wallUs: [-5] } }],
    ['a measurement above 2^53', { ends: { runs: [[1, 1]], outBytes: [1e300] } }],
    ['more fences than there are', { ends: { runs: [[1, 2 ** 50]] } }],
    ['holding more fences than there are', { heldRuns: [[1, 2 ** 50]] }],
    ['a return of more fences than there are', { returned: [[7, 2 ** 50]] }],
  ];
  test.each(cases)('%s', async (_, parts) => {
    const { at, worker } = await open();
    const id = await at.submit({ array: '0-1' });
    await expect(worker.say(parts)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    expect(at.states(id)).toEqual(['leased', 'leased']);
    expect([...at.job(id).table.attempts]).toEqual([0, 0]);
    await worker.end(id, [0, 1], LOST);
    await at.restart();
    expect(at.job(id).table.losses![0]).toBe(1);
  });
});
