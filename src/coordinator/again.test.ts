import { expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';

test('a task that was cancelled while it waited for its retry delay runs at once when it is retried, also after a restart', async () => {
  const at = await LedgerAtHand.open();
  let worker = await WorkerAtHand.join(at);
  const id = await at.submit({ array: '0-1', retries: 1, retryDelayMs: 60_000 });
  await worker.end(id, [0, 1], 3);
  expect(at.job(id).table.eligible.count).toBe(0);
  await at.coordinator.cancel(CALLER, String(id), {});
  expect(at.states(id)).toEqual(['cancelled', 'cancelled']);
  at.evictAll();
  await at.restart();
  worker = await WorkerAtHand.join(at);
  await at.coordinator.retry(CALLER, String(id), {});
  await at.ledger.idle();
  expect(at.states(id)).toEqual(['leased', 'leased']);
  expect([...worker.held.values()]).toEqual([
    { job: id, position: 0 },
    { job: id, position: 1 },
  ]);
});

test('what a retried task waits for besides its predecessor is brought back with it', async () => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at);
  const first = await at.submit({ array: '0-1', name: 'first' });
  const second = await at.submit({ array: '0-1', name: 'second' });
  await at.ledger.idle();
  const third = await at.submit({ array: '0-1', after: `aftercorr:${first},aftercorr:${second}` });
  await worker.end(first, [0], 0);
  await worker.end(first, [1], 3);
  await worker.end(second, [0, 1], 0);
  await worker.end(third, [0], 0);
  expect(at.states(third)).toEqual(['completed', 'skipped']);
  at.evictAll();
  expect(at.ledger.memory.jobs.size).toBe(0);
  await at.coordinator.retry(CALLER, String(first), {});
  await at.ledger.idle();
  expect(at.states(third)).toEqual(['completed', 'blocked']);
  await worker.end(first, [1], 0);
  expect(at.states(third)).toEqual(['completed', 'leased']);
});

test('a singleton that is retried queues behind the holder, also after a restart', async () => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at);
  const early = await at.submit({ name: 'alone', after: 'singleton' });
  const late = await at.submit({ name: 'alone', after: 'singleton' });
  await worker.end(early, [0], 3);
  expect(at.states(late)).toEqual(['leased']);
  await at.coordinator.retry(CALLER, String(early), {});
  expect(at.states(early)).toEqual(['blocked']);
  await worker.start(late, 0);
  await at.restart();
  expect([at.states(early), at.states(late)]).toEqual([['blocked'], ['running']]);
});

test('a skipped singleton that waits again queues behind whoever holds its name now', async () => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at, { resources: { cpus: 4, memoryBytes: 0 } });
  const before = await at.submit({ name: 'before' });
  const early = await at.submit({ name: 'alone', after: `afterok:${before},singleton` });
  const late = await at.submit({ name: 'alone', after: 'singleton' });
  await worker.end(before, [0], 3);
  expect([at.states(early), at.states(late)]).toEqual([['skipped'], ['leased']]);
  await at.coordinator.retry(CALLER, String(before), {});
  await at.ledger.idle();
  await worker.end(before, [0], 0);
  expect([at.states(early), at.states(late)]).toEqual([['blocked'], ['leased']]);
  await worker.end(late, [0], 0);
  expect(at.states(early)).toEqual(['leased']);
});

test.each([
  ['afterok', ''],
  ['aftercorr', ''],
  ['afterok', ',singleton'],
])('what was cancelled while it waited for %s waits for it again when it is retried%s', async (type, more) => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at, { resources: { cpus: 8, memoryBytes: 0 } });
  const first = await at.submit({ array: '0-1' });
  const second = await at.submit({ array: '0-1', after: `${type}:${first}${more}` });
  await at.coordinator.cancel(CALLER, String(second), {});
  at.evictAll();
  await at.coordinator.retry(CALLER, String(second), {});
  await at.ledger.idle();
  expect(at.states(second)).toEqual(['blocked', 'blocked']);
  await at.restart();
  worker.connect();
  await worker.resync();
  expect(at.states(second)).toEqual(['blocked', 'blocked']);
  await worker.end(first, [0, 1]);
  expect(at.states(second)).toEqual(['leased', 'leased']);
});

test('what has run once does not wait again for a partner that runs again', async () => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at, { resources: { cpus: 8, memoryBytes: 0 } });
  const first = await at.submit({ array: '0-1' });
  const second = await at.submit({ array: '0-1', after: `aftercorr:${first}` });
  await worker.end(first, [0, 1]);
  await worker.end(second, [0, 1], 3);
  await at.coordinator.requeue(CALLER, String(first), {});
  await at.coordinator.retry(CALLER, String(second), {});
  await at.ledger.idle();
  expect(at.states(second)).toEqual(['leased', 'leased']);
});

test('of the jobs that followed, only those with skipped tasks come back, down the chain', async () => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at);
  const first = await at.submit();
  const skipped = await at.submit({ after: `afterok:${first}` });
  const chained = await at.submit({ after: `afterok:${skipped}` });
  const ran = await at.submit({ after: `afterany:${first}` });
  await worker.end(first, [0], 3);
  await worker.end(ran, [0]);
  at.evictAll();
  await at.coordinator.retry(CALLER, String(first), {});
  expect([...at.ledger.memory.jobs.keys()].toSorted()).toEqual([first, skipped, chained]);
  expect([at.states(skipped), at.states(chained)]).toEqual([['blocked'], ['blocked']]);
});
