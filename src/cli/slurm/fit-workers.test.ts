import { expect, test } from 'vitest';
import { slurmWords } from '../../../test/support/slurm-words.ts';
import { JobSpec } from '../../api/job-spec.ts';
import type { SpecPart } from '../submit/spec-of.ts';
import { fitWorkers } from './fit-workers.ts';

const GIB = 1_024 ** 3;
const worker = (cpus: number, gib: number, more: object = {}, connected = true) => ({
  connected,
  draining: false,
  resources: { cpus, memoryBytes: gib * GIB, ...more },
});
const WORKERS = [worker(2, 4), worker(8, 16), worker(4, 32, { gpus: 2, named: { lic: 3 } }), worker(64, 99, {}, false)];
const refused = (spec: SpecPart) => slurmWords(() => fitWorkers(spec, WORKERS, 'refuse'));
const fitted = (spec: SpecPart, workers = WORKERS) => {
  const done = fitWorkers({ slurm: {}, ...spec }, workers, 'fit');
  // What a coordinator would take.
  JobSpec.parse({ ...done.spec, run: { kind: 'argv', argv: ['true'] }, cwd: '/w' });
  return done;
};

test.each([
  { cpus: 8, memoryBytes: 16 * GIB },
  { cpus: 4, memoryBytes: 32 * GIB, gpus: 2, resources: { lic: 1 } },
  { cpus: 800, gang: { tasks: 100, cpusPerTask: 8 } },
])('what some worker has room for stays as it is: %j', (spec) => {
  expect(fitWorkers(spec, WORKERS, 'refuse')).toEqual({ spec });
  if (!('gang' in spec)) expect(fitWorkers(spec, WORKERS, 'fit')).toEqual({ spec });
});

test('what none has is refused in the words of Slurm, with what there is', () => {
  expect(refused({ cpus: 9 })).toBe(
    'sbatch: error: CPU count per node can not be satisfied\n' +
      'sbatch: error: Batch job submission failed: Requested node configuration is not available\n' +
      'sbatch: it asks for 9 CPUs on one node; the largest worker has 8 CPUs and 16384M of memory; with `spawn config set slurm_oversize fit` such jobs get what it has\nrc=1',
  );
  expect(refused({ memoryBytes: 33 * GIB })).toContain('error: Memory specification can not be satisfied\n');
  // Each alone would find a worker.
  expect(refused({ cpus: 8, memoryBytes: 32 * GIB })).toMatch(/^sbatch: error: Batch job submission failed: Requested/);
  expect(refused({ gpus: 3 })).toContain('sbatch: it asks for 3 GPUs on one node; no worker has more than 2\nrc=1');
  expect(refused({ gang: { tasks: 2, cpusPerTask: 9 } })).toContain('CPU count per node');
  const one = { nodes: { min: 1, max: 1 } };
  expect(refused({ gang: { ...one, tasks: 9, cpusPerTask: 1 } })).toMatch(
    /^sbatch: error: Batch job submission failed: Requested/,
  );
  expect(refused({ gang: { ...one, tasks: 8, cpusPerTask: 1 } })).toBe('accepted');
  expect(refused({ gang: { tasksPerNode: 9, cpusPerTask: 1 } })).toContain('CPU count per node');
  expect(refused({ resources: { foo: 1 } })).toBe('sbatch: error: Invalid generic resource (gres) specification\nrc=1');
});

test('what is held or waits, and what no worker is there for, is not', () => {
  expect(refused({ cpus: 9, hold: true })).toBe('accepted');
  expect(refused({ gpus: 9, hold: true })).toBe('accepted');
  expect(refused({ cpus: 9_999, hold: true })).toContain('a job has at most 4096 CPUs; this one asks for 9999\nrc=1');
  expect(fitWorkers({ cpus: 9 }, WORKERS, 'wait')).toEqual({ spec: { cpus: 9 } });
  expect(fitWorkers({ cpus: 9 }, [worker(1, 1, {}, false)], 'refuse')).toEqual({ spec: { cpus: 9 } });
});

test('what is cut to the largest worker says so', () => {
  const { spec, note } = fitted({ cpus: 64, memoryBytes: 110 * GIB, slurm: { cpusPerTask: 64 } });
  expect(note).toBe(
    'asked for 64 CPUs and 112640M of memory, cut to 8 CPUs and 16384M of memory: no worker has more (slurm_oversize is fit)',
  );
  expect(spec).toEqual({ cpus: 8, memoryBytes: 16 * GIB, slurm: { cpusPerTask: 8, notes: [note] } });
  expect(fitted({ cpus: 64, gpus: 1 }).spec).toMatchObject({ cpus: 4, gpus: 1 });
  expect(slurmWords(() => fitted({ gpus: 3 }))).toContain('3 GPUs on');
});

test('a gang keeps its ranks, on the nodes that there are', () => {
  const one = [worker(2, 4)];
  expect(fitted({ cpus: 16, gang: { nodes: { min: 4, max: 4 }, tasks: 16, cpusPerTask: 1 } }, one).spec).toMatchObject({
    cpus: 2,
    gang: { nodes: { min: 1, max: 1 }, tasks: 16, cpusPerTask: 0.125 },
  });
  const spread = fitted({ cpus: 8, gang: { nodes: { min: 2, max: 3 }, tasksPerNode: 2, cpusPerTask: 2 } }, one);
  expect(spread.spec).toMatchObject({ cpus: 2, gang: { nodes: { min: 1, max: 1 }, tasks: 4, cpusPerTask: 0.5 } });
  expect(spread.spec.gang).not.toHaveProperty('tasksPerNode');
  const large = { tasks: 2, cpusPerTask: 4, memoryBytesPerTask: 8 * GIB, tasksPerNode: 2 };
  expect(fitted({ cpus: 8, gang: large }, one).spec).toMatchObject({
    cpus: 2,
    gang: { tasks: 2, cpusPerTask: 1, memoryBytesPerTask: 2 * GIB, tasksPerNode: 2 },
  });
  const small = { cpus: 2, gang: { nodes: { min: 1, max: 1 }, tasks: 2, cpusPerTask: 1 }, memoryBytes: 0, slurm: {} };
  expect(fitted(small, one)).toEqual({ spec: small });
});
