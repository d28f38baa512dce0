import { expect, test } from 'vitest';
import type { JobDelta } from '../../src/api/job.ts';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import type { MemoryStoreHooks } from '../../test/support/memory-store.ts';
import { until } from '../../test/support/until.ts';

test('a watch tells the state at once, every durable change, and nothing that is not durable', async () => {
  const hooks: MemoryStoreHooks = {};
  const at = await LedgerAtHand.open({ hooks });
  const worker = await WorkerAtHand.join(at);
  const id = await at.submit();
  const deltas: JobDelta[] = [];
  const stop = await at.coordinator.watch(CALLER, String(id), (delta) => deltas.push(delta));
  expect(deltas.at(-1)).toMatchObject({ state: 'running', counts: { leased: 1 } });
  let letThrough: (() => void) | undefined;
  hooks.beforeCommit = () =>
    new Promise((resolve) => {
      letThrough = () => resolve('ok');
    });
  const ended = worker.end(id, [0]);
  await until('the commit under way', () => letThrough !== undefined);
  expect(deltas.at(-1)).toMatchObject({ state: 'running' });
  hooks.beforeCommit = () => 'ok';
  letThrough!();
  await ended;
  expect(deltas.at(-1)).toMatchObject({ state: 'completed', exitCode: 0 });
  stop();
  expect(at.ledger.watchers.watched(id)).toBe(false);
});

test('the last that a watch tells is the newest, whatever changes while it begins', async () => {
  const at = await LedgerAtHand.open();
  for (let delay = 0; delay < 12; delay++) {
    const id = await at.submit({ hold: true });
    const deltas: JobDelta[] = [];
    const watching = at.coordinator.watch(CALLER, String(id), (delta) => deltas.push(delta));
    for (let i = 0; i < delay; i++) await Promise.resolve();
    const released = at.coordinator.release(CALLER, String(id), {});
    const cancelled = at.coordinator.cancel(CALLER, String(id), {});
    await Promise.all([watching, released, cancelled]);
    await at.ledger.idle();
    expect(deltas.at(-1), `after ${delay} turns`).toMatchObject({ state: 'cancelled' });
  }
});

test('a watch of a job that is not there leaves no listener', async () => {
  const at = await LedgerAtHand.open();
  await expect(at.coordinator.watch(CALLER, '7', () => {})).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  expect(at.ledger.watchers.watched(7)).toBe(false);
});
