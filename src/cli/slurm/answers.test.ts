import { describe, expect, test } from 'vitest';
import { refuseLine } from '../../config/slurm/refusal.ts';
import { SpawnError } from '../../core/errors.ts';
import { controllerText, controllerWords } from './controller-words.ts';
import { submittedText, testOnlyText, waitedCode } from './submit-answers.ts';

// Answers of Slurm 22.05.8.
describe('sbatch answers', () => {
  test('with the number of the job', () => {
    expect(submittedText(12, {})).toBe('Submitted batch job 12\n');
    expect(submittedText(12, { parsable: true })).toBe('12\n');
    expect(submittedText(12, { cluster: 'rig' })).toBe('Submitted batch job 12 on cluster rig\n');
    expect(submittedText(12, { parsable: true, cluster: 'rig' })).toBe('12;rig\n');
    expect(submittedText(12, { quiet: true, parsable: true })).toBe('');
  });

  test('with an estimate', () => {
    const estimate = { job: 7, at: Date.UTC(2026, 10, 21, 18, 52, 29), cpus: 1, nodes: 'n1', partition: 'main' };
    expect(testOnlyText(estimate, () => 0)).toBe(
      'sbatch: Job 7 to start at 2026-11-21T18:52:29 using 1 processors on nodes n1 in partition main\n',
    );
  });

  test.each([
    [['0:0', '1:0', '3:0', '2:0'], 3],
    [['0:9'], 1],
    [['200:0', '0:15'], 200],
    [['0:0'], 0],
    [[], 0],
  ])('with the code %j', (codes, code) => expect(waitedCode(codes.map((exitCode) => ({ exitCode })))).toBe(code));
});

describe('what the coordinator refuses', () => {
  const missing = new SpawnError('JOB_NOT_FOUND', { ref: '99' });
  const ended = new SpawnError('JOB_ENDED', { ref: '7', state: 'completed' });
  const denied = new SpawnError('NOT_PERMITTED', { what: 'cancel' } as never);

  test('has the words that belong to what was asked', () => {
    expect(controllerWords(missing, 'update')).toBe('Invalid job id specified');
    expect(controllerWords(new SpawnError('REQUEUE_DISABLED', { ref: '7' }), 'update')).toBe(
      'Requested operation is presently disabled',
    );
    expect([controllerWords(ended, 'update'), controllerWords(ended, 'cancel')]).toEqual([
      'Job has already finished',
      'Job/step already completing or completed',
    ]);
    expect([controllerWords(denied, 'cancel'), controllerWords(denied, 'hold')]).toEqual([
      'Access/permission denied',
      'Invalid user id',
    ]);
    expect(controllerWords(new SpawnError('STORE_FULL', {}, { message: 'the disk is full\nmore' }), 'submit')).toBe(
      'the disk is full',
    );
    expect(controllerWords(new Error('bug'), 'submit')).toBeUndefined();
  });

  test('ends a command with its line first and ours behind it', () => {
    const size = new SpawnError('ARRAY_TOO_LARGE', { size: 9, max: 5 });
    expect(controllerText('sbatch', size)).toBe(
      'sbatch: error: Batch job submission failed: Invalid job array specification\nsbatch: array of 9 tasks: expected at most 5\n',
    );
    expect(controllerText('squeue', missing)).toBe('slurm_load_jobs error: Invalid job id specified\n');
    const first = (command: 'srun' | 'sinfo' | 'scancel' | 'scontrol' | 'sacct') =>
      controllerText(command, missing)!.split('\n')[0];
    expect((['srun', 'sinfo', 'scancel', 'scontrol', 'sacct'] as const).map(first)).toEqual([
      'srun: error: Unable to allocate resources: Invalid job id specified',
      'slurm_load_partitions: Invalid job id specified',
      'scancel: error: Invalid job id specified',
      'slurm_load_jobs error: Invalid job id specified',
      'sacct: error: Invalid job id specified',
    ]);
    const own = new SpawnError('USAGE', { message: 'only this' });
    expect(controllerText('sacct', own)).toBe('sacct: error: only this\n');
    expect(controllerText('sbatch', refuseLine('x', 1))).toBeUndefined();
    expect(controllerText('sbatch', new Error('bug'))).toBeUndefined();
  });
});
