import { expect, test } from 'vitest';
import { CALLER, type HELLO, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { encodeOutcome } from '../core/outcome.ts';

const CANCELLED = encodeOutcome({ kind: 'cancelled' });
const page = { limit: 10, after: -1 };

/** Tasks 0 and 1 run, 2 is on the worker and has not started, the others wait. */
async function setUp(hello: Partial<typeof HELLO> = {}) {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at, { resources: { cpus: 3, memoryBytes: 1_000 }, ...hello });
  const id = await at.submit({ array: '0-9' });
  await worker.start(id, 0);
  await worker.start(id, 1);
  const suspend = (ref = String(id), selection = {}) => at.coordinator.suspend(CALLER, ref, selection);
  const resume = (ref = String(id), selection = {}) => at.coordinator.resume(CALLER, ref, selection);
  const task = async (index: number) =>
    (await at.coordinator.tasks(CALLER, String(id), { ...page, index: String(index) })).tasks[0]!;
  const told = () =>
    worker.messages.flatMap((message) =>
      message.type === 'suspend' || message.type === 'resume' ? [[message.type, ...message.fences.flat()]] : [],
    );
  return { at, worker, id, suspend, resume, task, told };
}

test('what runs stands still and goes on, what waits is not touched, and it is told', async () => {
  const { at, worker, id, suspend, resume, task, told } = await setUp();
  const first = worker.fenceOf(id, 0);
  const { tasks, job } = await suspend();
  expect([tasks, job.suspended, job.state, job.counts.running]).toEqual([2, 2, 'running', 2]);
  expect((await suspend()).tasks).toBe(0);
  expect(await task(1)).toMatchObject({
    state: 'running',
    reason: 'suspended by a user',
    suspended: true,
    suspendedAt: at.clock.nowMs,
  });
  expect((await task(2)).suspended).toBeUndefined();
  await worker.start(id, 2);
  at.clock.pass(4_000);
  expect((await resume(`${id}_1`)).tasks).toBe(1);
  expect((await resume(`${id}_[1-2]`)).tasks).toBe(0);
  expect(await task(1)).toMatchObject({ state: 'running', suspendedMs: 4_000 });
  expect((await task(1)).suspended).toBeUndefined();
  expect(told()).toEqual([
    ['suspend', first, 2],
    ['resume', first + 1, 1],
  ]);
  const { events } = await at.coordinator.events(CALLER, { ref: String(id), after: 0, limit: 10 });
  expect(events.slice(-2)).toMatchObject([
    { kind: 'jobSuspended', detail: { tasks: 2 }, text: `2 tasks of job ${id} suspended` },
    { kind: 'jobResumed', detail: { tasks: 1 } },
  ]);
  const why = await at.coordinator.why(CALLER, `${id}_0`);
  expect(why.blockers).toMatchObject([{ rule: 'suspended', text: expect.stringContaining('until resumed') }]);
});

test('the time it stood still is no part of its wall time, and its start stays where it was', async () => {
  const { at, worker, id, suspend, resume, task } = await setUp();
  const { startedAt } = await task(0);
  at.clock.pass(1_000);
  await suspend(`${id}_0`);
  at.clock.pass(5_000);
  await resume(`${id}_0`);
  at.clock.pass(2_000);
  const fence = worker.fenceOf(id, 0);
  worker.held.delete(fence);
  await worker.say({ ends: { runs: [[fence, 1]], wallUs: [3_000_000] } });
  await at.ledger.idle();
  expect(await task(0)).toMatchObject({ state: 'completed', startedAt, wallMs: 3_000, suspendedMs: 5_000 });
  expect(at.job(id).suspensions.pack()).toEqual([]);
  // One that is lost while it stands still ran until then.
  await suspend(`${id}_1`);
  at.clock.pass(60_000);
  await at.coordinator.loseSession(worker.sessionId, 'gone');
  await at.ledger.idle();
  expect(await task(1)).toMatchObject({ cause: 'lost', state: 'ready' });
  const all = await at.coordinator.events(CALLER, { ref: `${id}_1`, after: 0, limit: 10 });
  expect(all.events.find(({ kind }) => kind === 'attemptStarted')?.at).toBe(startedAt);
});

test('it is durable, and said again to a worker that may not have heard it', async () => {
  const { at, worker, id, suspend, resume, task } = await setUp();
  const [first, second] = [worker.fenceOf(id, 0), worker.fenceOf(id, 1)];
  await suspend();
  await resume(`${id}_1`);
  await at.restart();
  expect(await task(0)).toMatchObject({ suspended: true });
  expect((await at.coordinator.job(CALLER, String(id))).suspended).toBe(1);
  worker.messages.length = 0;
  worker.connect();
  await worker.resync([first, second]);
  expect(worker.messages.map(({ type }) => type).filter((type) => type !== 'ping' && type !== 'job')).toEqual([
    'suspend',
    'resume',
  ]);
  expect(worker.told('suspend')[0]!.fences).toEqual([[first, 1]]);
  expect(worker.told('resume')[0]!.fences).toEqual([[second, 1]]);
  expect((await at.coordinator.resume(CALLER, String(id), {})).tasks).toBe(1);
});

test('the last word of one moment counts', async () => {
  const { worker, id, suspend, resume, told } = await setUp();
  const fence = worker.fenceOf(id, 0);
  await suspend(`${id}_0`);
  await Promise.all([resume(`${id}_0`), suspend(`${id}_0`)]);
  expect(told().map(([type]) => type)).toEqual(['suspend', 'resume', 'suspend']);
  expect(told().at(-1)).toEqual(['suspend', fence, 1]);
});

test('a suspended task is cancelled and requeued as any other, and what is to end cannot be suspended', async () => {
  const { at, worker, id, suspend, task } = await setUp();
  await suspend();
  await at.coordinator.cancel(CALLER, `${id}_0`, {});
  await at.coordinator.requeue(CALLER, `${id}_1`, {});
  expect(worker.told('cancel').flatMap(({ fences }) => fences)).toHaveLength(2);
  expect(await task(0)).toMatchObject({ stopping: true, suspended: true });
  expect((await suspend()).tasks).toBe(0);
  await worker.end(id, [0], CANCELLED);
  await worker.end(id, [1], CANCELLED);
  expect([at.states(id)[0], (await task(1)).suspended]).toEqual(['cancelled', undefined]);
  expect((await at.coordinator.job(CALLER, String(id))).suspended).toBeUndefined();
});

test('nothing that waits or has ended, and no job of another one', async () => {
  const { at, worker, id, suspend, told } = await setUp();
  const held = await at.submit({ hold: true });
  for (const ref of [`${id}_2`, `${id}_9`, String(held)]) expect((await suspend(ref)).tasks).toBe(0);
  await worker.end(id, [0]);
  expect((await suspend(`${id}_0`)).tasks).toBe(0);
  expect(told()).toEqual([]);
  await expect(suspend(`${id}_10`)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  const stranger = { ...CALLER, owner: '2', role: 'submit' } as const;
  await expect(at.coordinator.suspend(stranger, String(id), {})).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
});

test('a worker of API 1 would not know it: it is refused, and nothing is changed', async () => {
  const { at, id, suspend, told } = await setUp({ api: 1 });
  await expect(suspend()).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining(
      `task ${id}_0: expected one whose worker can suspend it, found worker w of an older`,
    ),
  });
  expect([told(), at.job(id).suspensions.count]).toEqual([[], 0]);
});
