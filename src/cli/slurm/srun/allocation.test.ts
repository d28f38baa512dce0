import { expect, test } from 'vitest';
import { allocationOf, parseCounts } from './allocation.ts';

const TASK = {
  SLURM_CLUSTER_NAME: 'spawn',
  SLURM_JOB_ID: '12',
  SLURM_JOB_NODELIST: 'n[1-3]',
  SLURM_JOB_CPUS_PER_NODE: '4,1(x2)',
  SLURMD_NODENAME: 'n1',
  SPAWN_FENCE: '77',
  SPAWN_JOB_ID: '12',
  SPAWN_STEP_DIR: '/steps',
};

test('what a task has', () => {
  const cpus = [4, 1, 1];
  const nodes = cpus.map((count, at) => ({ name: `n${at + 1}`, cpus: count }));
  expect(allocationOf(TASK, '/tmp')).toEqual({ job: 12, fence: 77, folder: '/steps/77', isFirst: true, nodes });
  expect(allocationOf({ ...TASK, SLURMD_NODENAME: 'n2' }, '/tmp')?.isFirst).toBe(false);
  const one = { ...TASK, SLURM_JOB_NODELIST: undefined, SLURM_JOB_CPUS_PER_NODE: undefined, SPAWN_STEP_DIR: undefined };
  expect(allocationOf(one, '/tmp')).toMatchObject({ nodes: [{ name: 'localhost', cpus: 1 }], isFirst: true });
  expect(allocationOf(one, '/tmp')?.folder).toMatch(/^\/tmp\/spawn-steps-\d+\/77$/);
});

test('an element of an array, whose id is not that of its job', () => {
  const element = { ...TASK, SLURM_JOB_ID: '1000000007', SLURM_ARRAY_JOB_ID: '12' };
  expect(allocationOf(element, '/tmp')?.job).toBe(1_000_000_007);
});

test.each([
  ['nothing', {}],
  ['a job of a real Slurm that one of our tasks submitted', { ...TASK, SLURM_CLUSTER_NAME: 'big', SLURM_JOB_ID: '90' }],
  ['the same where the cluster is called like ours', { ...TASK, SLURM_JOB_ID: '90' }],
  ['an array of a real Slurm', { ...TASK, SLURM_ARRAY_JOB_ID: '90' }],
  ['a task without a fence', { ...TASK, SPAWN_FENCE: 'x' }],
])('%s is none of ours', (_, env) => {
  expect(allocationOf(env, '/tmp')).toBeUndefined();
});

test('counts, as they are written', () => {
  expect(parseCounts('3,1(x2)')).toEqual([3, 1, 1]);
  expect(parseCounts('8')).toEqual([8]);
  expect(parseCounts('x,(x2),2(x99999999)')).toEqual([]);
});
