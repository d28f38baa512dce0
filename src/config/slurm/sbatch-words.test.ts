import { describe, expect, test } from 'vitest';
import { slurmWords } from '../../../test/support/slurm-words.ts';
import { SCONTROL_OPTIONS, SINFO_OPTIONS, SQUEUE_OPTIONS } from './query-options.ts';
import { SACCT_OPTIONS } from './sacct-options.ts';
import { SBATCH_OPTIONS } from './sbatch-options.ts';
import { lastOf, readSbatchLine, readScriptOptions, readVariables } from './sbatch-words.ts';
import { SRUN_OPTIONS } from './srun-options.ts';

test('the line counts more than variables, these more than the script', () => {
  const script = readScriptOptions(['-J', 'script', '-t', '7', '--comment=script']);
  const variables = readVariables({ SBATCH_TIMELIMIT: '8', SBATCH_JOB_NAME: 'env', SBATCH_COMMENT: 'e' });
  const line = readSbatchLine(['-J', 'line', 'i.sh', '-H']);
  const all = [...script, ...variables, ...line.given];
  expect(['job-name', 'time', 'comment'].map((name) => lastOf(all, name as 'time')?.value)).toEqual([
    'line',
    '8',
    'script',
  ]);
  expect(lastOf(all, 'hold')).toBeUndefined();
  expect(lastOf(all, 'comment', 'time')).toMatchObject({ name: 'time', source: 'variable' });
  expect(line.operands).toEqual(['i.sh', '-H']);
});

test('a variable sets a flag whatever its value; those of no option mean nothing', () => {
  const env = { SBATCH_WAIT: '', SBATCH_NO_REQUEUE: '0', SBATCH_EXCLUSIVE: '', SBATCH_NODES: '2', SBATCH_HOLD: '1' };
  expect(readVariables(env)).toEqual([
    { name: 'exclusive', value: undefined, source: 'variable' },
    { name: 'no-requeue', value: undefined, source: 'variable' },
    { name: 'wait', value: undefined, source: 'variable' },
  ]);
  expect(readVariables({ SBATCH_EXCLUSIVE: 'user', SBATCH_QOS: '' }).map(({ value }) => value)).toEqual(['user', '']);
});

test('other names of the same option are one', () => {
  const { given } = readSbatchLine(['--tasks-per-node=2', '--cluster', 'x', '--ntasks-per-tres=1']);
  expect(given.map(({ name }) => name)).toEqual(['ntasks-per-node', 'clusters', 'ntasks-per-gpu']);
});

test('#SBATCH lines hold options alone', () => {
  expect(slurmWords(() => readScriptOptions(['nonsense', '-t', '7']))).toBe(
    'sbatch: error: Invalid directive found in batch script: nonsense\nrc=255',
  );
  expect(slurmWords(() => readScriptOptions(['-J', 'in', '--', '-t', '7']))).toContain('found in batch script: -t\n');
});

describe('no table names an option or a letter twice', () => {
  test.each(
    Object.entries({ SBATCH_OPTIONS, SRUN_OPTIONS, SQUEUE_OPTIONS, SCONTROL_OPTIONS, SINFO_OPTIONS, SACCT_OPTIONS }),
  )('%s', (_, options) => {
    const names = options.map(({ long }) => long);
    const letters = options.flatMap(({ short }) => short ?? []);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(letters).size).toBe(letters.length);
    expect(letters.every((letter) => letter.length === 1)).toBe(true);
  });

  test('srun has the options of sbatch that concern a run, by its own variables', () => {
    const of = (name: string) => SRUN_OPTIONS.find(({ long }) => long === name);
    expect(of('array')).toBeUndefined();
    expect(of('wait')).toMatchObject({ argument: 'required', variable: 'SLURM_WAIT' });
    expect(of('time')).toMatchObject({ variable: 'SLURM_TIMELIMIT' });
    expect(of('output')).toMatchObject({ variable: 'SLURM_STDOUTMODE' });
    expect(of('begin')).not.toHaveProperty('variable');
  });
});
