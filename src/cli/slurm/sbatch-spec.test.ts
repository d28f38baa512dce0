import { describe, expect, test } from 'vitest';
import { JobSpec } from '../../api/job-spec.ts';
import { ownPattern } from '../../config/slurm/output-pattern.ts';
import { readSbatchRequest } from '../../config/slurm/sbatch-request.ts';
import { readSbatchLine, readScriptOptions } from '../../config/slurm/sbatch-words.ts';
import { checkOutputPath, expandOutputPath } from '../../core/output-path.ts';
import { sbatchSpec } from './sbatch-spec.ts';

const MIB = 1_048_576;
const context = {
  clock: { now: Date.UTC(2026, 10, 21, 18, 53, 45), zone: () => 0 },
  env: {},
  isAdmin: false,
};
const facts = { submitHost: 'vm', uid: 65_534, gid: 65_534, group: 'nogroup', command: '/w/t.sh' };
const specOf = (...words: string[]) => {
  const { spec, layout } = sbatchSpec(readSbatchRequest(readSbatchLine(words).given, context), facts);
  // What a coordinator would take.
  JobSpec.parse({ ...spec, run: { kind: 'argv', argv: ['true'] }, cwd: '/w' });
  return { spec, layout };
};
const sizes = (...words: string[]) => {
  const { cpus, memoryBytes, gpus } = specOf(...words).spec;
  return [cpus, memoryBytes === undefined ? undefined : memoryBytes / MIB, gpus];
};

test('a job without options', () => {
  expect(specOf()).toEqual({
    spec: {
      cpus: 1,
      gpus: 0,
      resources: {},
      invalidDependency: 'wait',
      outputPath: 'slurm-%j.out',
      errorPath: 'slurm-%j.out',
      slurm: facts,
    },
    layout: { nodes: { min: 1, max: 1 }, tasks: 1, cpusPerTask: 1 },
  });
});

test('a nice beyond all priorities is the least of them', () => {
  const { spec } = specOf('--nice=2147483645');
  expect([spec.priority, spec.slurm?.nice]).toEqual([-1_000_000, 2_147_483_645]);
});

test('all that is said comes into the spec', () => {
  const { spec } = specOf(
    ...'--array=1-9:2%3 -t 5 -d afterok:7 --kill-on-invalid-dep=yes -H --nice=5 -e b.err -i in -J nf-x_(1) --comment=c'.split(
      ' ',
    ),
    ...'--open-mode=append --signal=B:USR2@30 -b now+60 --deadline=now+2hours --no-requeue --mail-type=END --mail-user=a@b'.split(
      ' ',
    ),
    ...'-p main -A a --qos=q --wckey=w -w n1 -x n2 -C f -L l --reservation=r --exclusive=user --gres=gpu:2,lic:1 -N1 -n2'.split(
      ' ',
    ),
  );
  expect(spec).toEqual({
    array: '1-9:2',
    throttle: 3,
    cpus: 2,
    gpus: 2,
    exclusive: true,
    gang: { nodes: { min: 1, max: 1 }, tasks: 2, cpusPerTask: 1 },
    resources: { lic: 1 },
    timeLimitMs: 300_000,
    after: 'afterok:7',
    invalidDependency: 'skip',
    hold: true,
    priority: -5,
    outputPath: 'slurm-%A_%a.out',
    errorPath: 'b.err',
    inputPath: 'in',
    openMode: 'append',
    signal: { number: 12, beforeMs: 30_000, mainOnly: true },
    beginInMs: 60_000,
    deadlineInMs: 7_200_000,
    slurm: {
      ...facts,
      name: 'nf-x_(1)',
      comment: 'c',
      account: 'a',
      partition: 'main',
      qos: 'q',
      wckey: 'w',
      reservation: 'r',
      constraint: 'f',
      licenses: 'l',
      nodelist: 'n1',
      excludeNodes: 'n2',
      mailType: ['END'],
      mailUser: 'a@b',
      nice: 5,
      requeue: false,
      nodes: { min: 1, max: 1 },
      ntasks: 2,
      exclusive: 'user',
      gres: 'gpu:2,lic:1',
      notes: expect.arrayContaining(['--account is recorded and has no effect: shown by squeue and sacct']),
    },
  });
});

test.each([
  ['-c2 --mem=300 --gres=gpu:1', [2, 300, 1]],
  ['-c2 --mem-per-cpu=100', [2, 200, 0]],
  ['--gpus=2 --mem-per-gpu=1G --cpus-per-gpu=3', [6, 2_048, 2]],
  ['--gpus-per-task=2 -n1', [1, undefined, 2]],
  ['--gpus-per-node=2 --mincpus=8', [8, undefined, 2]],
  ['--mem=0', [1, 0, 0]],
  ['-N1 -n1 --ntasks-per-node=1', [1, undefined, 0]],
])('%s: CPUs, MiB and devices of one task', (words, shares) => {
  expect(sizes(...words.split(' '))).toEqual(shares);
  expect(specOf(...words.split(' ')).spec.gang).toBeUndefined();
});

const nodes = (min: number, max = min) => ({ nodes: { min, max } });

test.each([
  // CPUs are of all nodes, memory and devices of each.
  ['-n2 -c2 --mem=300 --gres=gpu:1', [4, 300, 1], { tasks: 2, cpusPerTask: 2 }],
  ['-c2 --mem-per-cpu=100 -n3', [6, 0, 0], { tasks: 3, cpusPerTask: 2, memoryBytesPerTask: 200 * MIB }],
  ['-N2 -n4 --mem-per-cpu=50', [4, 0, 0], { ...nodes(2), tasks: 4, cpusPerTask: 1, memoryBytesPerTask: 50 * MIB }],
  ['-N2-4', [2, undefined, 0], { ...nodes(2, 4), cpusPerTask: 1 }],
  ['-N4 -n2', [2, undefined, 0], { ...nodes(2), tasks: 2, cpusPerTask: 1 }],
  ['--ntasks-per-node=2 -n4 --gpus=4', [4, undefined, 2], { tasks: 4, tasksPerNode: 2, cpusPerTask: 1 }],
  ['-N3 --ntasks-per-node=2', [6, undefined, 0], { ...nodes(3), tasksPerNode: 2, cpusPerTask: 1 }],
  ['--gpus-per-task=1 -n2', [2, undefined, 0], { tasks: 2, cpusPerTask: 1, gpusPerTask: 1 }],
  ['--gpus=2 --ntasks-per-gpu=2', [4, undefined, 2], { tasks: 4, cpusPerTask: 1 }],
  ['-N2 --mincpus=8', [16, undefined, 0], { ...nodes(2), cpusPerTask: 8 }],
  ['-N2 --gpus-per-node=2 --mem-per-gpu=1G --cpus-per-gpu=3', [12, 2_048, 2], { ...nodes(2), cpusPerTask: 6 }],
  [
    '-n2 --gpus-per-task=2 --mem-per-gpu=1G',
    [2, 0, 0],
    { tasks: 2, cpusPerTask: 1, gpusPerTask: 2, memoryBytesPerTask: 2_048 * MIB },
  ],
])('%s: a gang', (words, shares, gang) => {
  expect(sizes(...words.split(' '))).toEqual(shares);
  expect(specOf(...words.split(' ')).spec.gang).toEqual(gang);
});

test('a signal needs a time limit, and without B: it is not for the shell', () => {
  expect(specOf('--signal=B:USR1').spec.signal).toBeUndefined();
  expect(specOf('--signal=USR1@90', '-t5').spec.signal).toEqual({ number: 10, beforeMs: 90_000, steps: true });
  expect(specOf('--signal=B:USR1@90', '-t1').spec.signal).toMatchObject({ beforeMs: 59_999 });
});

test('no mail is said so', () => expect(specOf('--mail-type=NONE').spec.slurm?.mailType).toEqual(['NONE']));

// What nine clients of Slurm write.
test.each([
  '-J nf-x -o /w/nf.log --no-requeue --signal B:USR2@30 -c 2 -t 01:00:00 --mem 200M -p main',
  '-J dask-worker -e logs/dask-worker-%J.err -o logs/dask-worker-%J.out -n 1 --cpus-per-task=1 --mem=1G -t 00:30:00',
  "--array=0-2%3 --cpus-per-task=2 --error='/w/%A_%a_0_log.err' --gpus-per-node=1 --job-name=submitit --mem=4GB --nodes=1 --ntasks-per-node=1 --open-mode=append --output=/w/%A_%a_0_log.out --signal=USR1@90 --time=5 --wckey=submitit",
  '--nodes=2 --job-name=hq-1-1 --output=/w/hq.out --error=/w/hq.out --time=00:05:00',
  '--job-name=parsl.slurm.block-0.17.12 --output=o --error=o --nodes=1 --time=10 --ntasks-per-node=1 --exclusive --mem=2g',
  '--job-name=job0123 --output=f --error=f --time=5 --ntasks=1 --cpus-per-task=1 --mem-per-cpu=100 --partition=main --array=1-4',
])('%s', (line) => {
  const script = new Set(readScriptOptions(line.replaceAll("'", '').split(' ')));
  const { spec } = sbatchSpec(readSbatchRequest([...script], context), facts);
  expect(JobSpec.safeParse({ ...spec, run: { kind: 'argv', argv: ['true'] }, cwd: '/w' }).success).toBe(true);
});

describe('file name patterns', () => {
  const of = { jobId: 7, index: 10, rawId: 8, name: 'nm', user: 'nobody', host: 'vm' };
  test.each([
    [
      'A=%A a=%a 4a=%4a j=%j x=%x u=%u N=%N n=%n t=%t s=%s J=%J pp=%% q=%q %5x.o',
      'A=7 a=10 4a=0010 j=8 x=nm u=nobody N=vm n=0 t=0 s=batch J=8 pp=% q=%q nm.o',
    ],
    ['%10j %99j %3J %2t', '0000000008 0000000008 008 00'],
    ['lit\\%j.o', 'lit%j.o'],
    ['b\\\\%j.o', 'b\\%j.o'],
    ['%b', '%b'],
    ['100% %', '100% %'],
    ['%5%', '%5%'],
  ])('%s', (text, path) => {
    checkOutputPath(ownPattern(text), '--output');
    expect(expandOutputPath(ownPattern(text), of)).toBe(path);
  });
});
