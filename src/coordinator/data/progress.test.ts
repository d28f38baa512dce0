import { expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../../test/support/ledger-at-hand.ts';
import type { JobDelta } from '../../api/job.ts';

test('attempts say how far they are, which is shown while they run and stored nowhere', async () => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at);
  const id = await at.submit({ array: '0-3' });
  await at.ledger.idle();
  await worker.start(id, 0, 1);
  const heard: JobDelta[] = [];
  const stop = await at.coordinator.watch(CALLER, String(id), (delta) => heard.push(delta));
  const commits = at.disk.content.jobs.get(id);
  const [first, second] = [worker.fenceOf(id, 0), worker.fenceOf(id, 1)];
  await worker.say({ progress: [{ fence: first, fraction: 0.5, message: 'half' }] });
  await at.ledger.idle();
  await worker.say({
    progress: [
      { fence: second, fraction: 0.25 },
      { fence: 999, fraction: 1 },
    ],
  });
  await at.ledger.idle();
  expect(at.disk.content.jobs.get(id)).toBe(commits);
  expect(heard.map(({ progress }) => progress).slice(-2)).toEqual([0.125, 0.1875]);
  const { tasks } = await at.coordinator.tasks(CALLER, String(id), { limit: 10, after: -1 });
  expect(tasks.map(({ progress }) => progress)).toEqual([
    { fraction: 0.5, message: 'half' },
    { fraction: 0.25 },
    undefined,
    undefined,
  ]);
  await worker.end(id, [0]);
  expect(await at.coordinator.job(CALLER, String(id))).toMatchObject({ progress: 0.3125 });
  // It is tried again from the beginning.
  await at.coordinator.requeue(CALLER, `${id}_1`, {});
  await worker.end(id, [1], 15 + 256);
  const again = await at.coordinator.tasks(CALLER, String(id), { limit: 10, after: -1 });
  expect(again.tasks.every(({ progress }) => progress === undefined)).toBe(true);
  stop();
  await worker.say({ progress: [{ fence: second, fraction: 1 }] });
  expect((await at.coordinator.job(CALLER, String(id))).progress).toBe(0.25);
});
