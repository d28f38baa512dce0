import { expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';

test('of jobs that have ended nothing stays in memory', async () => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at, { resources: { cpus: 16, memoryBytes: 0 } });
  for (let i = 0; i < 100; i++) {
    const first = await at.submit({ array: '0-3', name: `a${i}`, retries: 1, retryDelayMs: 10 });
    const second = await at.submit({ array: '0-3', after: `aftercorr:${first},singleton` });
    const stop = await at.coordinator.watch(CALLER, String(second), () => {});
    await at.ledger.idle();
    await worker.end(first, [0, 1, 2], 0);
    await worker.end(first, [3], 0);
    await at.coordinator.cancel(CALLER, `${second}_3`, {});
    const fence = worker.fenceOf(second, 3);
    worker.held.delete(fence);
    await worker.say({ returned: [[fence, 1]] });
    await worker.end(second, [0, 1, 2], 0);
    stop();
    at.evictAll();
  }
  const { memory, links, watchers } = at.ledger;
  expect([memory.jobs, memory.ended, memory.names, memory.sharers, memory.nextAlarm].map(({ size }) => size)).toEqual([
    0, 0, 0, 0, 0,
  ]);
  expect(memory.alarms.size).toBe(0);
  expect(memory.queue.peek()).toBeUndefined();
  const { session } = memory.sessions.get(worker.sessionId)!;
  expect(session.shares.size).toBe(0);
  expect(session.grants.length).toBeLessThan(100);
  expect([links.size, links.get(worker.sessionId)!.known.size, watchers.watched(200)]).toEqual([1, 0, false]);
  await at.coordinator.bye(CALLER, worker.sessionId);
  expect([memory.sessions.size, links.size]).toEqual([0, 0]);
});

test('a job that somebody still waits for stays, and so does what it is needed for', async () => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at);
  const first = await at.submit();
  const held = await at.submit({ hold: true, name: 'held' });
  const second = await at.submit({ after: `afterok:${first},afterok:${held}` });
  await worker.end(first, [0]);
  at.evictAll();
  expect(at.ledger.memory.jobs.has(first)).toBe(true);
  await at.restart();
  expect([...at.ledger.memory.jobs.keys()].toSorted()).toEqual([first, held, second]);
  await at.coordinator.cancel(CALLER, String(held), {});
  expect(at.states(second)).toEqual(['skipped']);
  at.evictAll();
  expect(at.ledger.memory.jobs.size).toBe(0);
});
