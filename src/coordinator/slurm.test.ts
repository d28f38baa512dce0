import { beforeEach, describe, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { JobsQuery, TasksQuery } from '../api/job.ts';
import { SlurmUpdate } from '../api/slurm.ts';

let at: LedgerAtHand;

beforeEach(async () => {
  at = await LedgerAtHand.open();
});

const view = (ref: string) => at.coordinator.job(CALLER, ref);

async function found(query: Partial<JobsQuery>): Promise<number[]> {
  const { jobs } = await at.coordinator.jobs(CALLER, JobsQuery.parse(query));
  return jobs.map(({ id }) => id);
}

test('what a job has of Slurm is shown as it was given, also of one that has ended and left memory', async () => {
  const slurm = { name: 'nf-align_(1)', comment: 'of\u2028 two', account: 'lab', nice: 10, nodes: { min: 1, max: 2 } };
  await at.submit({ slurm });
  expect(await view('1')).toMatchObject({ name: 'nf-align_-1-', slurm });
  await at.coordinator.cancel(CALLER, '1', {});
  at.evictAll();
  expect(await view('1')).toMatchObject({ state: 'cancelled', slurm });
  expect((await at.coordinator.spec(CALLER, '1')).spec).toMatchObject({ name: 'nf-align_-1-', slurm });
  await at.submit();
  expect(await view('2')).not.toHaveProperty('slurm');
});

test.each([
  ['a b/c', 'a-b-c'],
  ['12_3', 'job'],
  ['(1)', 'job'],
  ['--x', 'x'],
  ['x'.repeat(100), 'x'.repeat(63)],
  ['a-20260101-0a1b2c', 'job'],
])('a name of Slurm %j makes the name %s', async (name, own) => {
  await at.submit({ slurm: { name } });
  expect((await view('1')).name).toBe(own);
});

test('the one task of a job has the number of the job, tasks of an array have numbers of their own', async () => {
  await at.submit();
  await at.submit({ array: '5,7' });
  const rawIds = async (ref: string) =>
    (await at.coordinator.tasks(CALLER, ref, TasksQuery.parse({}))).tasks.map(({ rawId }) => rawId);
  expect(await rawIds('1')).toEqual([1]);
  expect(await rawIds('2')).toEqual([1_000_000_001, 1_000_000_002]);
});

test('a name that is given goes before the one of Slurm', async () => {
  await at.submit({ name: 'mine', slurm: { name: 'a b' } });
  expect(await view('1')).toMatchObject({ name: 'mine', slurm: { name: 'a b' } });
});

test('jobs are found by the name that Slurm shows, live and ended', async () => {
  await at.submit({ slurm: { name: 'a b' } });
  await at.submit({ name: 'a-b' });
  await at.submit({ slurm: { name: 'a b' } });
  expect(await found({ slurmName: 'a b' })).toEqual([3, 1]);
  expect(await found({ slurmName: 'a-b' })).toEqual([2]);
  await at.coordinator.cancel(CALLER, '1', {});
  at.evictAll();
  expect(await found({ slurmName: 'a b' })).toEqual([3]);
  expect(await found({ slurmName: 'a b', show: 'all' })).toEqual([3, 1]);
});

describe('singletons', () => {
  test('wait for the jobs that Slurm shows under their name, whatever their own names are', async () => {
    const worker = await WorkerAtHand.join(at, { resources: { cpus: 9, memoryBytes: 2 ** 30 } });
    const slurm = { name: 'a b' };
    await at.submit({ name: 'one', slurm });
    await at.submit({ name: 'two', slurm, after: 'singleton' });
    await at.submit({ name: 'a-b', after: 'singleton' });
    await at.submit({ slurm: { name: 'a-b' }, after: 'singleton' });
    await at.ledger.idle();
    expect([1, 2, 3, 4].map((id) => at.states(id)[0])).toEqual(['leased', 'blocked', 'leased', 'blocked']);
    await at.restart();
    expect([2, 4].map((id) => at.states(id)[0])).toEqual(['blocked', 'blocked']);
    worker.connect();
    await worker.start(1, 0);
    await worker.end(1, [0]);
    expect([2, 4].map((id) => at.states(id)[0])).toEqual(['leased', 'blocked']);
  });

  test('go on when the job before them is renamed, or they are', async () => {
    await WorkerAtHand.join(at, { resources: { cpus: 9, memoryBytes: 2 ** 30 } });
    const first = { slurm: { name: 'x' } };
    await at.submit(first);
    for (let id = 2; id <= 4; id++) await at.submit({ ...first, after: 'singleton' });
    const states = async () => {
      await at.ledger.idle();
      return [2, 3, 4].map((id) => at.states(id)[0]);
    };
    expect(await states()).toEqual(['blocked', 'blocked', 'blocked']);
    await at.coordinator.update(CALLER, '1', { slurm: { name: 'y' } });
    expect(await states()).toEqual(['leased', 'blocked', 'blocked']);
    await at.coordinator.update(CALLER, '4', { slurm: { name: 'z' } });
    expect(await states()).toEqual(['leased', 'blocked', 'leased']);
    await expect(at.coordinator.update(CALLER, '2', { slurm: { name: 'z' } })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    expect(await found({ slurmName: 'x' })).toEqual([3, 2]);
    await at.coordinator.update(CALLER, '3', { slurm: { name: 'y' } });
    expect(await states()).toEqual(['leased', 'blocked', 'leased']);
    await at.restart();
    expect(await states()).toEqual(['leased', 'blocked', 'leased']);
    expect([await found({ slurmName: 'y' }), await found({ slurmName: 'x' })]).toEqual([[3, 1], [2]]);
  });
});

describe('an update', () => {
  test('changes what Slurm shows, keeps the rest, and is there after a restart and in history', async () => {
    await at.submit({ name: 'own', slurm: { name: 'a', account: 'lab', comment: 'x' } });
    await at.submit();
    const change = { name: 'b (2)', comment: 'y', nice: 5, mailType: ['END' as const] };
    expect(await at.coordinator.update(CALLER, '1', { slurm: change })).toMatchObject({
      tasks: 1,
      job: { name: 'own', slurm: { account: 'lab', ...change } },
    });
    expect(await at.coordinator.update(CALLER, '1', { slurm: change })).toMatchObject({ tasks: 0 });
    expect(await at.coordinator.update(CALLER, '1', { slurm: { qos: 'q' } })).toMatchObject({ tasks: 1 });
    expect(await at.coordinator.update(CALLER, '2', { slurm: { comment: 'z' } })).toMatchObject({
      job: { slurm: { comment: 'z' } },
    });
    await at.restart();
    const slurm = { account: 'lab', qos: 'q', ...change };
    expect((await view('1')).slurm).toEqual(slurm);
    expect((await at.coordinator.spec(CALLER, '1')).spec.slurm).toEqual(slurm);
    expect(await found({ slurmName: 'b (2)' })).toEqual([1]);
    await at.coordinator.cancel(CALLER, '1', {});
    at.evictAll();
    expect((await view('1')).slurm).toEqual(slurm);
    expect(await found({ slurmName: 'b (2)', show: 'all' })).toEqual([1]);
    expect(await found({ slurmName: 'a', show: 'all' })).toEqual([]);
    expect((await view('2')).slurm).toEqual({ comment: 'z' });
  });

  test('clears a text with an empty one', async () => {
    await at.submit({ slurm: { name: 'a', comment: 'x', mailUser: 'me' } });
    await at.submit({ slurm: { comment: 'x' } });
    const cleared = await at.coordinator.update(CALLER, '1', { slurm: { comment: '', mailUser: '' } });
    expect([cleared.tasks, cleared.job.slurm]).toEqual([1, { name: 'a' }]);
    expect((await at.coordinator.update(CALLER, '2', { slurm: { comment: '' } })).job).not.toHaveProperty('slurm');
    await at.restart();
    expect((await view('1')).slurm).toEqual({ name: 'a' });
    expect((await at.coordinator.spec(CALLER, '1')).spec.slurm).toEqual({ name: 'a' });
    expect(SlurmUpdate.safeParse({ name: '' }).success).toBe(false);
  });

  test('gives tasks that no worker has another output file, over a restart', async () => {
    const id = await at.submit({ array: '0-2', outputPath: 'a-%a', errorPath: 'a-%a' });
    const apart = await at.submit({ outputPath: 'a', errorPath: 'b', hold: true });
    const without = await at.submit({ hold: true });
    const change = (job: number, outputPath: string) => at.coordinator.update(CALLER, String(job), { outputPath });
    expect((await change(id, 'c-%a')).job).toMatchObject({ outputPath: 'c-%a', errorPath: 'c-%a' });
    expect(await change(id, 'c-%a')).toMatchObject({ tasks: 0 });
    expect((await change(apart, 'c')).job).toMatchObject({ outputPath: 'c', errorPath: 'b' });
    await at.restart();
    expect(await view(String(id))).toMatchObject({ outputPath: 'c-%a', errorPath: 'c-%a' });
    const worker = await WorkerAtHand.join(at, { resources: { cpus: 1, memoryBytes: 1_000 } });
    const told = () => worker.told('job').map(({ job }) => [job.outputPath, job.errorPath]);
    expect(told()).toEqual([['c-%a', 'c-%a']]);
    await expect(change(id, 'd')).rejects.toMatchObject({ code: 'CONFLICT' });
    await at.coordinator.hold(CALLER, String(id), {});
    await worker.end(id, [0]);
    // It knows the job, and hears of it anew.
    await change(id, 'd');
    await at.coordinator.release(CALLER, String(id), {});
    await at.ledger.idle();
    expect(told().at(-1)).toEqual(['d', 'd']);
    expect(worker.told('forget')).toHaveLength(1);
    await expect(change(without, 'd')).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(change(apart, '%q')).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });

  test('says whether the job may be requeued, also after a restart', async () => {
    await at.submit({ slurm: { requeue: false } });
    await at.submit({ array: '0-1' });
    await at.coordinator.update(CALLER, '1', { slurm: { requeue: true } });
    await at.coordinator.update(CALLER, '2', { slurm: { requeue: false } });
    await at.restart();
    expect(await at.coordinator.requeue(CALLER, '1', {})).toMatchObject({ tasks: 0 });
    await expect(at.coordinator.requeue(CALLER, '2', {})).rejects.toMatchObject({ code: 'REQUEUE_DISABLED' });
    const worker = await WorkerAtHand.join(at);
    await worker.start(2, 0);
    await at.coordinator.bye(CALLER, worker.sessionId);
    await at.ledger.idle();
    expect(at.states(2)).toEqual(['failed', 'ready']);
  });

  test('gives tasks that have not started other CPUs and GPUs', async () => {
    const worker = await WorkerAtHand.join(at, { resources: { cpus: 2, memoryBytes: 0 } });
    await at.submit({ array: '0-3', cpus: 1 });
    await worker.start(1, 0);
    expect(await at.coordinator.update(CALLER, '1', { cpus: 2 })).toMatchObject({ tasks: 4, job: { cpus: 2 } });
    expect(await at.coordinator.update(CALLER, '1_[2-3]', { gpus: 1, cpus: 1 })).toMatchObject({ tasks: 2 });
    expect(at.job(1).laneOf(1).terms).toMatchObject({ cpus: 2, gpus: 0 });
    expect(at.job(1).laneOf(3).terms).toMatchObject({ cpus: 1, gpus: 1 });
    expect(await at.coordinator.why(CALLER, '1_3')).toMatchObject({ blockers: [{ rule: expect.any(String) }] });
  });

  test('of some tasks changes nothing that the whole job has', async () => {
    await at.submit({ array: '0-3' });
    await expect(at.coordinator.update(CALLER, '1_2', { slurm: { comment: 'x' } })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message:
        'slurm: expected a whole job: single tasks have only priority, timeLimitMs, memoryBytes, cpus, gpus, after, found "1_2"',
    });
  });
});

test('the server says how large an array may be', async () => {
  expect((await at.coordinator.server(CALLER)).maxArraySize).toBe(1_000_000);
});
