import { expect, test } from 'vitest';
import { scriptedJob } from '../../test/support/scripted-coordinator.ts';
import { IndexSet } from '../core/index-set.ts';
import type { KnownJob } from './job-book.ts';
import { taskRequest } from './run-request.ts';

const NEEDS = { cpus: 1, memoryBytes: 0, gpuShares: 0, named: new Map<string, number>() };

/** What the task of index 7 is run with. */
function requestOf(changes: object) {
  const job: KnownJob = {
    description: { ...scriptedJob(3, 'true'), isArray: true, name: 'own', user: 'anna', ...changes },
    lane: 0,
    needs: NEEDS,
    queueId: 1,
    indices: IndexSet.fromString('5-9'),
    prepared: { argv: ['true'], cwd: '/', env: [] },
  };
  const grant = { jobId: 3, lane: 0, fence: 1, position: 2, attempt: 1 };
  return taskRequest({ grant, job, gpus: [] }, 1, { host: 'node7', bindCpus: false });
}

test('files are named by their patterns; %x is the name that Slurm shows', () => {
  const names = { outputPath: '%x-%A_%a.out', errorPath: '%u@%N', inputPath: 'in/%3a' };
  expect(requestOf(names)).toMatchObject({ outputPath: 'own-3_7.out', errorPath: 'anna@node7', stdin: 'in/007' });
  expect(requestOf({ ...names, slurm: { name: 'nf-x (1)/2' } }).outputPath).toBe('nf-x (1)_2-3_7.out');
});

test('without files it reads and copies nothing', () => {
  const request = requestOf({});
  for (const name of ['stdin', 'outputPath', 'errorPath']) expect(request).not.toHaveProperty(name);
});
