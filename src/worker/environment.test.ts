import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JobForWorker } from '../api/session.ts';
import type { Gpu, GpuVendor } from '../core/gpu-list.ts';
import { IndexSet } from '../core/index-set.ts';
import {
  callSecret,
  JOB_VARIABLES,
  jobEnvironment,
  minimalEnvironment,
  type Place,
  parseSnapshot,
  TASK_VARIABLES,
  taskEnvironment,
} from './environment.ts';
import { GPU_VARIABLES } from './gpu-environment.ts';
import { SBATCH_VARIABLES } from './slurm-environment.ts';

const JOB: JobForWorker = {
  id: 12,
  arrayId: 'render-20260314-0a1b2c',
  name: 'render',
  owner: '1000',
  isArray: true,
  indices: '10-30:10',
  size: 3,
  throttle: 0,
  rawIdBase: 1_000_000_000,
  after: 'afterok:11',
  run: { kind: 'shell', text: 'true' },
  env: {},
  cwd: '/home/anna/render',
  umask: 0o022,
  cpus: 0.5,
  memoryBytes: 4 * 1024 ** 3,
  gpus: 2,
  resources: { licence: 1, scratch: 0.5, none: 0 },
  user: 'anna',
  timeLimitMs: 0,
  graceMs: 5_000,
  logCapBytes: 1_000,
};
/** The same as sbatch submits it. */
const SBATCH: JobForWorker = {
  ...JOB,
  cpus: 4,
  slurm: {
    name: 'render (1)',
    account: 'physics',
    qos: 'normal',
    partition: 'gpu,main',
    uid: 1_000,
    gid: 100,
    submitHost: 'login1',
    memPer: 'cpu',
    ntasksPerNode: 4,
  },
};
const INDICES = IndexSet.fromString(JOB.indices);
const GRANT = { jobId: 12, lane: 0, fence: 4711, position: 1, attempt: 2 };
const OWN: readonly string[] = [...JOB_VARIABLES, ...TASK_VARIABLES];
const DEVICES: readonly string[] = GPU_VARIABLES;
const PLACE = {
  session: 's-3',
  host: 'node7',
  gpuVendor: 'nvidia',
  steps: '/spawn/worker/steps/s-3',
  calls: { socket: '/spawn/worker/calls/s-3/tasks.sock', programs: '/spawn/worker/bin' },
} as const;
const SECRET = 'ab12'.repeat(16);

const gpusOf = (vendor: GpuVendor) => ['2', '3'].map((id): Gpu => ({ id, vendor, uuid: '', name: '', memoryBytes: 0 }));

/** As a process sees it: of a name that comes twice, the later one. */
function seen(...blocks: readonly string[][]): Map<string, string> {
  return new Map(
    blocks.flat().map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}

function environmentOf(
  job: JobForWorker,
  base: string[] = [],
  grant = GRANT,
  place: Place = PLACE,
): Map<string, string> {
  const indices = IndexSet.fromString(job.indices);
  const devices = job.gpus && place.gpuVendor ? gpusOf(place.gpuVendor) : [];
  return seen(jobEnvironment(job, indices, base, place), taskEnvironment(job, indices, grant, devices), [
    callSecret(SECRET),
  ]);
}

describe('the table of docs/environment.md', () => {
  const page = readFileSync(new URL('../../docs/environment.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \|.*\| `([^`]*)` \|$/gm)].map(([, name, example]) => [name!, example!]);

  test('names every variable, and no other', () => {
    expect(rows.map(([name]) => name).toSorted()).toEqual([...OWN, ...DEVICES].toSorted());
  });

  test('shows what this job would see', () => {
    const env = environmentOf(JOB);
    for (const [name, example] of rows) {
      // Given by others.
      if (name === 'SPAWN_SESSION' || name === 'SLURM_TASK_PID') continue;
      if (/^SPAWN_(?:PART|INPUT|OUTPUT)/.test(name!)) continue;
      const first = name === 'SPAWN_ATTEMPT' ? environmentOf(JOB, [], { ...GRANT, attempt: 1 }) : env;
      const of = /^(?:ROCR|HIP)_/.test(name!) ? environmentOf(JOB, [], GRANT, { ...PLACE, gpuVendor: 'amd' }) : first;
      const isOfSbatch = SBATCH_VARIABLES.some((one) => one === name);
      const memPer = name === 'SLURM_MEM_PER_GPU' ? 'gpu' : 'cpu';
      const sbatch = environmentOf({ ...SBATCH, slurm: { ...SBATCH.slurm, memPer } });
      expect([name, (isOfSbatch ? sbatch : of).get(name!)]).toEqual([name, example]);
    }
  });
});

describe('a job of sbatch', () => {
  const asked = (env: Map<string, string>, ...names: string[]) => names.map((name) => env.get(`SLURM_${name}`));

  test('has what was asked for, and the name and the first partition as they were given', () => {
    const env = environmentOf(SBATCH);
    expect(asked(env, 'JOB_NAME', 'JOB_PARTITION')).toEqual(['render (1)', 'gpu']);
    expect([env.get('JOB_ARRAY_NAME'), env.get('SPAWN_JOB_ID')]).toEqual(['render', '12']);
    expect(asked(env, 'MEM_PER_CPU', 'MEM_PER_NODE', 'MEM_PER_GPU')).toEqual(['1024', undefined, undefined]);
    expect(asked(env, 'NTASKS', 'NPROCS', 'TASKS_PER_NODE', 'NTASKS_PER_NODE')).toEqual(['4', '4', '4', '4']);
    expect(asked(env, 'CPUS_PER_TASK', 'CPUS_ON_NODE', 'JOB_CPUS_PER_NODE')).toEqual([undefined, '4', '4']);
  });

  test('that asked for nothing has no count of tasks, also when it was submitted inside a job that has', () => {
    const env = environmentOf({ ...JOB, memoryBytes: 0, slurm: {} }, [
      'SLURM_NTASKS=8',
      'SLURM_NPROCS=8',
      'SLURM_CPUS_PER_TASK=3',
      'SLURM_JOB_ACCOUNT=a',
    ]);
    const names = ['NTASKS', 'NPROCS', 'CPUS_PER_TASK', 'JOB_ACCOUNT', 'MEM_PER_NODE'];
    expect(asked(env, ...names)).toEqual(names.map(() => undefined));
    expect(asked(env, 'TASKS_PER_NODE', 'JOB_NAME', 'JOB_PARTITION')).toEqual(['1', 'render', 'main']);
  });

  test('tells the two counts apart', () => {
    const env = environmentOf({ ...SBATCH, slurm: { ntasks: 6, ntasksPerNode: 3, cpusPerTask: 2 } });
    expect(asked(env, 'NTASKS', 'NPROCS', 'NTASKS_PER_NODE', 'CPUS_PER_TASK')).toEqual(['6', '6', '3', '2']);
  });

  test('is a batch job with a directory for its files, unless it has one; others are not', () => {
    const of = (job: JobForWorker, ...base: string[]) => {
      const env = environmentOf(job, base);
      return [env.get('ENVIRONMENT'), env.get('TMPDIR')];
    };
    expect(of(SBATCH)).toEqual(['BATCH', '/tmp']);
    expect(of(SBATCH, 'ENVIRONMENT=x', 'TMPDIR=/scratch')).toEqual(['BATCH', '/scratch']);
    expect(of({ ...SBATCH, env: { TMPDIR: '/mine' } })).toEqual(['BATCH', '/mine']);
    expect(of(JOB)).toEqual([undefined, undefined]);
    expect(of(JOB, 'ENVIRONMENT=x')).toEqual(['x', undefined]);
  });
});

test('a job that is no array has no SLURM_ARRAY variable, and one task of index 0', () => {
  const { after: _, user: __, ...rest } = JOB;
  const job = { ...rest, isArray: false, indices: '0', size: 1, memoryBytes: 0, gpus: 0, resources: {} };
  const env = environmentOf(job, [], { ...GRANT, position: 0, attempt: 1 });
  expect([...env.keys()].filter((name) => name.startsWith('SLURM_ARRAY'))).toEqual([]);
  const absent = ['SLURM_MEM_PER_NODE', 'SLURM_JOB_DEPENDENCY', 'SLURM_RESTART_COUNT', 'SLURM_JOB_USER'];
  const none = ['SLURM_GPUS_ON_NODE', 'SLURM_JOB_GPUS', 'SPAWN_GPUS', 'SPAWN_RESOURCES', 'SPAWN_MEMORY_BYTES'];
  for (const name of [...absent, ...none]) expect([name, env.has(name)]).toEqual([name, false]);
  expect([env.get('JOB_ARRAY_INDEX'), env.get('JOB_ARRAY_SIZE'), env.get('SPAWN_TASK_ID')]).toEqual(['0', '1', '12_0']);
});

test('whatever the shell and the job bring, each name comes once and the right one wins', () => {
  const name = fc.oneof(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/), fc.constantFrom(...OWN, ...DEVICES));
  const plain = { ...PLACE, gpuVendor: undefined, calls: { socket: PLACE.calls.socket } };
  const value = fc.string({ maxLength: 12 }).map((text) => text.replaceAll('\0', ''));
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), fc.dictionary(name, value), fc.boolean(), (base, given, isArray) => {
      const job = { ...JOB, isArray, env: given };
      const block = jobEnvironment(
        job,
        INDICES,
        base.map(([key, text]) => `${key}=${text}`),
        plain,
      );
      const names = block.map((entry) => entry.slice(0, entry.indexOf('=')));
      expect(new Set(names).size).toBe(names.length);
      const env = seen(block, taskEnvironment(job, INDICES, GRANT, []), [callSecret(SECRET)]);
      const own = environmentOf({ ...JOB, isArray }, [], GRANT, plain);
      const expected = new Map([...base.filter(([key]) => !OWN.includes(key)), ...Object.entries(given), ...own]);
      expect(env).toEqual(expected);
    }),
  );
});

test('a name with "=" or none is left out: it would be another variable', () => {
  const env = environmentOf({ ...JOB, env: { 'SPAWN_FENCE=1': 'x', '': 'y' } });
  expect(env).toEqual(environmentOf(JOB));
});

test('a snapshot is entries with NUL between them; what is no assignment is left out', () => {
  expect(parseSnapshot(Buffer.from('A=1\0B=x=y\nz\0nothing\0=C\0Ü=é\0'))).toEqual(['A=1', 'B=x=y\nz', 'Ü=é']);
});

test('without a snapshot a task has the few variables that programs expect', () => {
  const env = seen(minimalEnvironment());
  expect([...env.keys()]).toEqual(['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG']);
  expect([...env.values()]).not.toContain('');
});

test('the spored that starts fast comes first in a PATH, once', () => {
  const pathOf = (base: string[], more: Partial<JobForWorker> = {}) =>
    environmentOf({ ...JOB, ...more }, base).get('PATH');
  expect(pathOf(['PATH=/bin:/spawn/worker/bin:/usr/bin'])).toBe('/spawn/worker/bin:/bin:/usr/bin');
  expect(pathOf(['PATH=/bin'], { env: { PATH: '/opt' } })).toBe('/spawn/worker/bin:/opt');
  expect(pathOf([])).toBeUndefined();
  expect(pathOf(['PATH=/bin'], { env: { SPAWN_SHIMS: '/shims' } })).toBe('/spawn/worker/bin:/shims:/bin');
});
