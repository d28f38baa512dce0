import { beforeEach, expect, test } from 'vitest';
import { CALLER, LedgerAtHand } from '../../test/support/ledger-at-hand.ts';
import { JobsQuery, TasksQuery } from '../api/job.ts';

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
