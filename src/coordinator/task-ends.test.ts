import { beforeEach, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { TasksQuery, TasksReply } from '../api/job.ts';
import { encodeOutcome, type Outcome } from '../core/outcome.ts';

let at: LedgerAtHand;
let worker: WorkerAtHand;

beforeEach(async () => {
  at = await LedgerAtHand.open();
  worker = await WorkerAtHand.join(at, { resources: { cpus: 16, memoryBytes: 2 ** 30 } });
});

/** The first task as it is told, now and when its job has left memory. */
async function tell(id: number) {
  const ask = async () =>
    TasksReply.parse(await at.coordinator.tasks(CALLER, String(id), TasksQuery.parse({}))).tasks[0]!;
  const told = await ask();
  at.evictAll();
  expect(await ask()).toEqual(told);
  return told;
}

const TERM: Outcome = { kind: 'signalled', signal: 15 };

test.each<[Outcome, object]>([
  [
    { kind: 'exited', code: 0 },
    { state: 'completed', cause: 'exited', process: { code: 0 }, exitCode: 0 },
  ],
  [
    { kind: 'exited', code: 3 },
    { state: 'failed', cause: 'exited', process: { code: 3 }, exitCode: 3 },
  ],
  [TERM, { state: 'failed', cause: 'signalled', process: { signal: 15 }, exitCode: 143, signal: 15 }],
  [{ kind: 'timedOut' }, { state: 'failed', cause: 'timedOut', exitCode: 124 }],
  [
    { kind: 'timedOut', exit: { kind: 'exited', code: 7 } },
    { state: 'failed', cause: 'timedOut', process: { code: 7 }, exitCode: 124 },
  ],
  [
    { kind: 'timedOut', exit: TERM },
    { state: 'failed', cause: 'timedOut', process: { signal: 15 }, exitCode: 124 },
  ],
  [{ kind: 'outOfMemory' }, { state: 'failed', cause: 'outOfMemory' }],
])('%j is told whole', async (outcome, view) => {
  const id = await at.submit();
  await worker.start(id, 0);
  await worker.end(id, [0], encodeOutcome(outcome));
  const told = await tell(id);
  expect(told).toMatchObject(view);
  expect('process' in told).toBe('process' in view);
});

test('what a cancelled task made of its signal is told, and before that that it is to end', async () => {
  const id = await at.submit();
  await worker.start(id, 0);
  await at.coordinator.cancel(CALLER, String(id), {});
  const { tasks } = await at.coordinator.tasks(CALLER, String(id), TasksQuery.parse({}));
  expect(tasks).toMatchObject([{ state: 'running', stopping: true }]);
  await worker.end(id, [0], encodeOutcome({ kind: 'cancelled', exit: { kind: 'exited', code: 3 } }));
  const told = await tell(id);
  expect(told).toMatchObject({ state: 'cancelled', cause: 'cancelled', process: { code: 3 }, exitCode: 1 });
  expect(told.stopping).toBeUndefined();
});

test('what ended without a start says for what', async () => {
  const cancelled = await at.submit({ hold: true });
  await at.coordinator.cancel(CALLER, String(cancelled), {});
  const skipped = await at.submit({ after: `afterok:${cancelled}` });
  expect(await tell(cancelled)).toMatchObject({ state: 'cancelled', cause: 'cancelled' });
  expect(await tell(skipped)).toMatchObject({ state: 'skipped', cause: 'dependency' });
});

test('what the process made of it changes neither who is tried again nor who is found', async () => {
  const spec = { array: '0-1', retries: 1, retryOn: 'time-limit' };
  const id = await at.submit(spec);
  const end = encodeOutcome({ kind: 'timedOut', exit: { kind: 'exited', code: 7 } });
  await worker.start(id, 0, 1);
  await worker.end(id, [0, 1], end);
  await worker.start(id, 0, 1);
  await worker.end(id, [0, 1], end);
  expect(at.states(id)).toEqual(['failed', 'failed']);
  expect(at.job(id).table.failures![0]).toBe(2);
  const { failures } = await at.coordinator.summary(CALLER, String(id));
  expect(failures).toMatchObject([{ cause: 'timeLimit', outcome: 'time limit', tasks: 2 }]);
  const { tasks } = await at.coordinator.retry(CALLER, String(id), { where: 'time-limit' });
  expect(tasks).toBe(2);
});
