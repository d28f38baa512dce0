import { expect, test } from 'vitest';
import { LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';

test('of what a lost worker had not started, only as many as it had room for may have run', async () => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at, { resources: { cpus: 2, memoryBytes: 2 ** 30 } });
  const id = await at.submit({ array: '0-99' });
  await worker.start(id, 0, 1);
  const fence = worker.fenceOf(id, 0);
  worker.held.delete(fence);
  // So short that others are granted ahead.
  await worker.say({ ends: { runs: [[fence, 1]], wallUs: [5_000] } });
  await at.ledger.idle();
  const { counts } = at.job(id).table;
  expect([counts[3], counts[2]! > 5]).toEqual([1, true]);
  await at.coordinator.loseSession(worker.sessionId, 'gone');
  const { losses, attempts } = at.job(id).table;
  // One that ran, and the next one, which may have taken the free place without a word.
  expect(losses!.reduce((sum, each) => sum + each, 0)).toBe(2);
  expect([...attempts.subarray(0, 4)]).toEqual([1, 1, 1, 0]);
});
