import { beforeEach, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../../test/support/ledger-at-hand.ts';
import { until } from '../../../test/support/until.ts';
import { AlarmLoop } from './alarms.ts';

let at: LedgerAtHand;
let worker: WorkerAtHand;
let loop: AlarmLoop;

beforeEach(async () => {
  at = await LedgerAtHand.open();
  worker = await WorkerAtHand.join(at);
  loop = new AlarmLoop(at.ledger);
});

/** Time passes, and what was due by then has been done. */
async function pass(ms: number): Promise<void> {
  at.clock.pass(ms);
  await new Promise((resolve) => setImmediate(resolve));
  await at.ledger.idle();
}

test('a failed task waits for its retry delay and no longer', async () => {
  const id = await at.submit({ retries: 1, retryDelayMs: 10_000 });
  await worker.end(id, [0], 3);
  expect(await at.coordinator.tasks(CALLER, String(id), { limit: 1, after: -1 })).toMatchObject({
    tasks: [{ state: 'ready', reason: 'waiting for its retry delay', outcome: 'exit 3', attempt: 1 }],
  });
  await pass(9_989);
  expect(at.states(id)).toEqual(['ready']);
  await pass(20);
  await until('the grant', () => worker.held.size === 1);
  expect(at.states(id)).toEqual(['leased']);
});

test('a million waiting tasks would need one alarm: each job has one', async () => {
  const id = await at.submit({ array: '0-199', retries: 1, retryDelayMs: 1_000 });
  for (let i = 0; i < 100; i++) {
    await worker.end(id, [2 * i, 2 * i + 1], 3);
    at.clock.nowMs += 1;
  }
  expect(at.job(id).delayed.size).toBe(200);
  expect(at.ledger.memory.alarms.size).toBe(1);
  await pass(2_000);
  await until('all grants', () => worker.held.size === 200);
});

test('a clock that is set back holds no task for ever', async () => {
  const id = await at.submit({ retries: 1, retryDelayMs: 1_000 });
  at.clock.nowMs -= 3_600_000;
  await worker.end(id, [0], 3);
  await pass(2_000);
  // Due by a clock that says an hour less: as soon as it says so again, or a restart.
  at.clock.nowMs += 3_600_000;
  await pass(60_000);
  await until('the grant', () => worker.held.size === 1);
});

test('an after-dependency with a delay is released when it has passed, also when the coordinator restarts meanwhile', async () => {
  const first = await at.submit();
  const second = await at.submit({ after: `after:${first}+1` });
  await worker.start(first, 0);
  await pass(30_000);
  loop.stop();
  await at.restart();
  loop = new AlarmLoop(at.ledger);
  at.ledger.alarmSet(at.ledger.memory.alarms.earliest!);
  await pass(29_000);
  expect(at.states(second)).toEqual(['blocked']);
  await pass(1_000);
  await until('the release', () => at.states(second)[0] === 'ready');
});

test('a loop that was stopped sets no timer', async () => {
  const id = await at.submit({ retries: 5, retryDelayMs: 1_000 });
  await worker.end(id, [0], 3);
  expect(at.clock.pending).toBe(1);
  at.clock.pass(2_000);
  loop.stop();
  await at.ledger.idle();
  await new Promise((resolve) => setImmediate(resolve));
  expect(at.clock.pending).toBe(0);
});
