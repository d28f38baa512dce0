import { expect, test } from 'vitest';
import type { Placement } from '../api/gang.ts';
import type { JobForWorker } from '../api/session.ts';
import { placementEnvironment } from './placement-environment.ts';

const job = (slurm?: JobForWorker['slurm']) => ({ slurm }) as JobForWorker;
const nodes = (...given: [cpus: number, tasks: number][]) =>
  given.map(([cpus, tasks], at) => ({ name: `n${at + 1}`, cpus, tasks }));
const placement = (more: Partial<Placement>): Placement => ({
  nodes: nodes([1, 1]),
  memoryBytes: 0,
  gpus: 0,
  whole: false,
  ...more,
});
const env = (of: JobForWorker, more: Partial<Placement>) =>
  Object.fromEntries(
    Object.entries(placementEnvironment(of, placement(more))).filter(([, value]) => value !== undefined),
  );

// Real Slurm 22.05: -N3 -n5 -c2.
test('says which nodes there are, and what each has', () => {
  const given = { nodes: nodes([6, 3], [2, 1], [2, 1]), gpus: 2, memoryBytes: 600 * 2 ** 20 };
  expect(env(job({ ntasks: 5, cpusPerTask: 2, memPer: 'cpu' }), given)).toEqual({
    SLURM_JOB_NODELIST: 'n[1-3]',
    SLURM_NODELIST: 'n[1-3]',
    SLURM_JOB_NUM_NODES: 3,
    SLURM_NNODES: 3,
    SLURMD_NODENAME: 'n1',
    SLURM_CPUS_ON_NODE: 6,
    SLURM_JOB_CPUS_PER_NODE: '6,2(x2)',
    SLURM_GPUS_ON_NODE: 2,
    SLURM_TASKS_PER_NODE: '3,1(x2)',
    SLURM_NTASKS: 5,
    SLURM_NPROCS: 5,
    SLURM_MEM_PER_CPU: 100,
    SPAWN_CPUS: 6,
    SPAWN_GPUS: 2,
    SPAWN_MEMORY_BYTES: 600 * 2 ** 20,
  });
});

test('counts ranks only where they were asked for, as Slurm does', () => {
  const two = { nodes: nodes([2, 2], [2, 2]) };
  expect(env(job({}), two)).not.toHaveProperty('SLURM_NTASKS');
  expect(env(job({ ntasksPerNode: 2 }), two)).toMatchObject({ SLURM_NTASKS: 4, SLURM_TASKS_PER_NODE: '2(x2)' });
  expect(env(job(), two)).toMatchObject({ SLURM_NTASKS: 4, SLURM_CPUS_PER_TASK: 1 });
});

test('of a whole worker it has all CPUs, and the ranks that were asked for', () => {
  const whole = { whole: true, nodes: nodes([8, 8]), memoryBytes: 2 ** 20 };
  expect(env(job({}), whole)).toMatchObject({ SLURM_CPUS_ON_NODE: 8, SLURM_TASKS_PER_NODE: '8' });
  expect(env(job({ ntasks: 2 }), whole)).toMatchObject({ SLURM_NTASKS: 2, SLURM_TASKS_PER_NODE: '2' });
  expect(env(job({}), whole)).not.toHaveProperty('SLURM_MEM_PER_NODE');
});

test('memory is told as it was asked for', () => {
  const given = { memoryBytes: 512 * 2 ** 20, gpus: 2 };
  expect(env(job({ memPer: 'node' }), given)).toMatchObject({ SLURM_MEM_PER_NODE: 512 });
  expect(env(job({ memPer: 'gpu' }), given)).toMatchObject({ SLURM_MEM_PER_GPU: 256 });
});
