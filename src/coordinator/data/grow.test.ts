import { beforeEach, describe, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../../test/support/ledger-at-hand.ts';
import type { JobSpecInput } from '../../api/job-spec.ts';
import type { LogReader } from '../../objects/log-reader.ts';

const PLAN = 'a'.repeat(64);
const INPUT = { type: 'files' as const, from: ['/data/*'] };

let at: LedgerAtHand;
let worker: WorkerAtHand;

beforeEach(async () => {
  const logs = { jobs: () => Promise.resolve([]) } as unknown as LogReader;
  at = await LedgerAtHand.open({ logs, blobs: { ...NO_BLOBS, has: () => Promise.resolve(true) } });
  worker = await WorkerAtHand.join(at);
});

const NO_BLOBS = {
  put: () => Promise.reject(new Error('none')),
  get: () => Promise.resolve(undefined),
  list: () => Promise.resolve([]),
  remove: () => Promise.resolve(false),
};

/** Says that the planning job found so many parts, and ends its attempt. */
async function plan(job: number, parts: number, hash = PLAN): Promise<void> {
  const fence = worker.fenceOf(job, 0);
  await worker.say({ planned: [{ fence, hash, parts }] });
  await worker.end(job, [0]);
}

async function submit(spec: Partial<JobSpecInput> = {}): Promise<number> {
  const id = await at.submit({ input: INPUT, ...spec });
  await at.ledger.idle();
  return id;
}

describe('a job with an input', () => {
  test('has a job that plans it, and one that collects when that is asked for', async () => {
    expect(await submit({ name: 'count', output: { manifest: 'm.json' } })).toBe(2);
    const specOf = (id: number) => at.ledger.entry(id).fixed;
    expect(specOf(1)).toMatchObject({ name: 'count.plan', size: 1, spec: { role: { kind: 'plan', of: 2 } } });
    expect(specOf(2)).toMatchObject({ name: 'count', indices: '0', spec: { after: 'afterok:1' } });
    expect(specOf(3)).toMatchObject({ spec: { role: { kind: 'collect', of: 2 }, after: 'afterok:2' } });
    expect(await at.coordinator.job(CALLER, '2')).toMatchObject({
      plan: { job: 1 },
      reason: 'waiting for its plan (job 1)',
    });
    const { blockers } = await at.coordinator.why(CALLER, '2');
    expect(blockers.map(({ text }) => text)).toEqual(['1 task waits for its plan (job 1)']);
    expect([at.states(1), at.states(2), at.states(3)]).toEqual([['leased'], ['blocked'], ['blocked']]);
    expect(worker.told('job').map(({ job }) => [job.id, job.role, job.run])).toEqual([
      [1, { kind: 'plan', of: 2 }, { kind: 'handler', module: 'spawn:plan', export: 'default' }],
    ]);
    await expect(submit({ array: '0-3' })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(submit({ input: { type: 'job', job: 'key' } })).rejects.toThrow('keys are those of a workflow');
  });

  test('gets its tasks when its plan completes, with numbers of their own, also after a restart', async () => {
    const id = await submit({ output: { aggregate: 'sum' } });
    await plan(1, 5);
    expect(at.states(id)).toEqual(['leased', 'leased', 'ready', 'ready', 'ready']);
    const { fixed } = at.ledger.entry(id);
    expect(fixed).toMatchObject({ indices: '0-4', size: 5 });
    expect(at.ledger.memory.counters.nextRaw).toBe(fixed.rawIdBase + 5);
    expect(worker.told('job').at(-1)!.job).toMatchObject({ id, plan: PLAN, indices: '0-4', size: 5, input: INPUT });
    await at.restart();
    expect(at.ledger.entry(id).fixed).toEqual(fixed);
    expect(at.job(id).plan).toMatchObject({ hash: PLAN, parts: 5 });
    expect(at.states(id).slice(2)).toEqual(['ready', 'ready', 'ready']);
    worker = await WorkerAtHand.join(at, { worker: 'w2', resources: { cpus: 8, memoryBytes: 2 ** 30 } });
    await at.coordinator.bye(CALLER, 1);
    await at.ledger.idle();
    await worker.end(id, [0, 1, 2, 3, 4]);
    expect(at.states(id)).toEqual(new Array(5).fill('completed'));
    // The collecting job knows the plan too.
    expect(worker.told('job').at(-1)!.job).toMatchObject({ id: 3, plan: PLAN, role: { kind: 'collect', of: id } });
  });

  test('of a million parts is stored in a few rows, and is at work at once', async () => {
    const id = await submit();
    const before = at.disk.content.pages.get(id)?.size ?? 0;
    await plan(1, 1_000_000);
    expect([at.job(id).size, before, at.disk.content.pages.get(id)?.size ?? 0]).toEqual([1_000_000, 0, 0]);
    expect(at.states(id).filter((state) => state === 'leased')).toHaveLength(2);
  });

  test.each<[string, number | undefined, string]>([
    ['no plan at all', undefined, 'it ended without a plan'],
    ['more parts than a job may have tasks', 1_000_001, 'its plan has more parts than a job may have tasks'],
  ])('is skipped after %s, and tried again with its plan', async (_, parts, reason) => {
    const id = await submit();
    if (parts === undefined) await worker.end(1, [0]);
    else await plan(1, parts);
    expect([at.states(1), at.states(id)]).toEqual([['failed'], ['skipped']]);
    const { tasks } = await at.coordinator.tasks(CALLER, '1', { limit: 10, after: -1 });
    expect(tasks[0]).toMatchObject({ reason, outcome: 'exit 1' });
    await at.coordinator.retry(CALLER, String(id), {});
    await at.ledger.idle();
    expect([at.states(1), at.states(id)]).toEqual([['leased'], ['blocked']]);
    await plan(1, 2);
    expect(at.states(id)).toEqual(['leased', 'leased']);
  });

  test('takes no plan of an attempt that is over', async () => {
    const id = await submit({ retries: 3 });
    const fence = worker.fenceOf(1, 0);
    await worker.say({ planned: [{ fence, hash: PLAN, parts: 7 }] });
    await at.coordinator.requeue(CALLER, '1', {});
    await worker.end(1, [0], 15 + 256);
    expect(at.states(1)).toEqual(['leased']);
    const { stale } = await worker.say({ planned: [{ fence, hash: PLAN, parts: 7 }] });
    expect(stale).toBe(1);
    // What the attempt before had found does not count either.
    await worker.end(1, [0]);
    expect([at.states(1), at.states(id)]).toEqual([['failed'], ['skipped']]);
  });

  test('that is cancelled before it has its tasks takes its plan with it', async () => {
    const id = await submit();
    await worker.start(1, 0);
    await at.coordinator.cancel(CALLER, String(id), {});
    await at.ledger.idle();
    expect(worker.told('cancel')).toHaveLength(1);
    // It may be too late to stop it.
    await plan(1, 3);
    expect([at.states(1), at.states(id)]).toEqual([['cancelled'], ['cancelled']]);
    await at.coordinator.retry(CALLER, String(id), {});
    await at.ledger.idle();
    expect([at.states(1), at.states(id)]).toEqual([['leased'], ['blocked']]);
    await plan(1, 3);
    expect(at.states(id)).toEqual(['leased', 'leased', 'ready']);
  });

  test('that was cancelled while its plan completed gets its tasks when it is tried again', async () => {
    const id = await submit();
    await at.coordinator.cancel(CALLER, `${id}_0`, {});
    await plan(1, 3);
    at.evictAll();
    expect(at.ledger.memory.jobs.has(id)).toBe(false);
    await at.coordinator.retry(CALLER, String(id), {});
    await at.ledger.idle();
    expect(at.states(id)).toEqual(['leased', 'leased', 'ready']);
    await expect(at.coordinator.requeue(CALLER, '1', {})).rejects.toThrow('found 3 parts');
  });

  test('waits for its plan whatever else it is told to wait for', async () => {
    const id = await submit();
    await expect(at.coordinator.update(CALLER, String(id), { after: '' })).rejects.toThrow('waits for it');
    const { spec } = await at.coordinator.spec(CALLER, String(id));
    expect([spec.after, spec.array]).toEqual([undefined, undefined]);
  });

  test('is removed for ever with its plan, and not the plan alone', async () => {
    await submit();
    await plan(1, 1);
    await worker.end(2, [0]);
    at.evictAll();
    const prune = { olderThanMs: 0, keep: 0, dryRun: false };
    expect(await at.coordinator.prune(CALLER, { ...prune, ids: [1] })).toMatchObject({ jobs: 0 });
    expect(await at.coordinator.prune(CALLER, prune)).toMatchObject({ jobs: 2 });
  });

  test('shares what it waits for with its plan', async () => {
    const first = await at.submit();
    const id = await submit({ after: `afterok:${first},aftercorr:${first},singleton` });
    expect(at.ledger.entry(id - 1).fixed.spec.after).toBe(`afterok:${first}`);
    expect(at.ledger.entry(id).fixed.spec.after).toBe(`afterok:${id - 1},aftercorr:${first},singleton`);
    const { spec } = await at.coordinator.spec(CALLER, String(id));
    expect(spec.after).toBe(`aftercorr:${first},singleton`);
    await expect(submit({ after: `afterok:${first}?singleton` })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });
});

describe('a job that reads what the same tasks of another made', () => {
  test('has the tasks of that one, as soon as they are known', async () => {
    const id = await submit();
    const follower = await at.submit({ input: { type: 'job', job: id } });
    const last = await at.submit({ input: { type: 'job', job: follower } });
    expect(follower).toBe(id + 1);
    expect(at.ledger.entry(follower).fixed.spec.after).toBe(`aftercorr:${id}`);
    await plan(1, 4);
    expect([at.states(follower), at.states(last)]).toEqual([
      new Array(4).fill('blocked'),
      new Array(4).fill('blocked'),
    ]);
    await worker.end(id, [0]);
    expect(at.states(follower)[0]).toBe('leased');
    expect(at.states(follower).slice(1)).toEqual(['blocked', 'blocked', 'blocked']);
    await at.restart();
    expect(at.ledger.entry(last).fixed).toMatchObject({ indices: '0-3', size: 4 });
    expect(worker.told('job').at(-1)!.job).not.toHaveProperty('plan');
  });

  test('of an array that was there before has its indices', async () => {
    const array = await at.submit({ array: '3,5-7' });
    const follower = await at.submit({ input: { type: 'job', job: array } });
    expect(at.ledger.entry(follower).fixed).toMatchObject({ indices: '3,5-7', size: 4 });
    await worker.end(array, [0]);
    expect(at.states(follower)[0]).toBe('leased');
    await at.restart();
    expect(at.job(follower).size).toBe(4);
  });

  test('reads another one as a whole after it has ended', async () => {
    const array = await at.submit({ array: '0-1' });
    const id = await submit({ input: { type: 'job', job: array, as: 'jsonl' } });
    expect(at.ledger.entry(id - 1).fixed.spec.after).toBe(`afterok:${array}`);
  });
});

test('enough tasks are a success', async () => {
  const id = await at.submit({ array: '0-3', minSuccess: 0.5 });
  const follower = await at.submit({ after: `afterok:${id}` });
  await at.ledger.idle();
  await worker.end(id, [0, 1], 1);
  await worker.end(id, [2, 3]);
  expect(at.job(id)).toMatchObject({ state: 'completed', exitCode: 0 });
  expect(at.states(follower)).toEqual(['leased']);
  at.evictAll();
  expect(await at.coordinator.job(CALLER, String(id))).toMatchObject({
    state: 'completed',
    exitCode: 0,
    minSuccess: 0.5,
  });
});

test('too few tasks end the job', async () => {
  const id = await at.submit({ array: '0-5', minSuccess: 0.8, throttle: 2 });
  await at.ledger.idle();
  await worker.end(id, [0], 1);
  expect(at.states(id)).toContain('ready');
  await worker.end(id, [1], 1);
  await worker.end(id, [2], 4 * 256);
  expect(at.states(id)).toEqual(['failed', 'failed', ...new Array(4).fill('cancelled')]);
  const job = await at.coordinator.job(CALLER, String(id));
  expect(job).toMatchObject({ state: 'failed', exitCode: 1, reason: '0 of 6 tasks completed, 5 were needed' });
  const { events } = await at.coordinator.events(CALLER, { ref: String(id), after: 0, limit: 100 });
  expect(events.map(({ text }) => text)).toContain(
    'too few tasks of job 1 can still succeed: 5 are needed, 4 tasks cancelled',
  );
});
