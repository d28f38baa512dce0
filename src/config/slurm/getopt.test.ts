import { describe, expect, test } from 'vitest';
import { slurmWords } from '../../../test/support/slurm-words.ts';
import { readWords } from './getopt.ts';
import { SCANCEL_OPTIONS, SQUEUE_OPTIONS } from './query-options.ts';
import { SACCT_OPTIONS } from './sacct-options.ts';
import { SBATCH_OPTIONS } from './sbatch-options.ts';

const sbatch = (...words: string[]) => {
  const { given, operands } = readWords('sbatch', SBATCH_OPTIONS, words);
  return [given.map(({ option, value }) => (value === undefined ? option.long : `${option.long}=${value}`)), operands];
};

describe('options are read as getopt_long reads them', () => {
  test.each([
    [
      ['-t5', '-Jx', '-H', 't.sh', '-t', '9'],
      ['time=5', 'job-name=x', 'hold'],
      ['t.sh', '-t', '9'],
    ],
    [['-HWs', '-n', '2', 'a'], ['hold', 'wait', 'oversubscribe', 'ntasks=2'], ['a']],
    [['--jo=in', '--exclus'], ['job-name=in', 'exclusive'], []],
    [['--nice', '5'], ['nice'], ['5']],
    [['--nice=5', '--exclusive=user'], ['nice=5', 'exclusive=user'], []],
    [['-k5', '-k'], ['no-kill=5', 'no-kill'], []],
    [['--comment', '--hold'], ['comment=--hold'], []],
    [['--comment=', '-J', ''], ['comment=', 'job-name='], []],
    [['-J', '-H', '-'], ['job-name=-H'], ['-']],
    [['--', '-H'], [], ['-H']],
    [['--mem=1', '--mem=2'], ['mem=1', 'mem=2'], []],
    [['--time=1'], ['time=1'], []],
  ])('%j', (words, given, operands) => expect(sbatch(...words)).toEqual([given, operands]));

  test('those that ask take options behind operands', () => {
    const { given, operands } = readWords('scancel', SCANCEL_OPTIONS, ['7', '--signal', 'USR1', '8', '--', '-9']);
    expect(given).toMatchObject([{ option: { long: 'signal' }, value: 'USR1' }]);
    expect(operands).toEqual(['7', '8', '-9']);
    const abbreviated = readWords('squeue', SQUEUE_OPTIONS, ['--job', 'a', '--state=all', '-hr']);
    expect(abbreviated.given.map(({ option }) => option.long)).toEqual(['jobs', 'states', 'noheader', 'array']);
    expect(abbreviated.operands).toEqual(['a']);
  });
});

// Answers of Slurm 22.05.8.
describe('what is wrong is told in the words of getopt', () => {
  const help = 'Try "sbatch --help" for more information\nrc=255';
  test.each([
    [['--nosuch'], `sbatch: unrecognized option '--nosuch'\n${help}`],
    [['--tres-per-task=gres:gpu:1'], `sbatch: unrecognized option '--tres-per-task=gres:gpu:1'\n${help}`],
    [['-Y'], `sbatch: invalid option -- 'Y'\n${help}`],
    [['-I', 't.sh'], `sbatch: invalid option -- 'I'\n${help}`],
    [['--array'], `sbatch: option '--array' requires an argument\n${help}`],
    [['-c'], `sbatch: option requires an argument -- 'c'\n${help}`],
    [['--hold=3'], `sbatch: option '--hold' doesn't allow an argument\n${help}`],
    [['--tim=5'], `sbatch: option '--tim=5' is ambiguous; possibilities: '--time' '--time-min'\n${help}`],
    [
      ['--t=5'],
      `sbatch: option '--t=5' is ambiguous; possibilities: '--tasks-per-node' '--test-only' '--thread-spec' '--threads-per-core' '--time' '--time-min' '--tmp'\n${help}`,
    ],
    [['--b=1'], `sbatch: option '--b=1' is ambiguous; possibilities: '--batch' '--begin' '--bb' '--bbf'\n${help}`],
  ])('%j', (words, text) => expect(slurmWords(() => sbatch(...words))).toBe(text));

  test('with exit code 1 by those that ask, and without a line about help by sacct', () => {
    expect(slurmWords(() => readWords('squeue', SQUEUE_OPTIONS, ['--me=3']), 'squeue')).toBe(
      "squeue: option '--me' doesn't allow an argument\nTry \"squeue --help\" for more information\nrc=1",
    );
    expect(slurmWords(() => readWords('sacct', SACCT_OPTIONS, ['-Y']), 'sacct')).toBe(
      "sacct: invalid option -- 'Y'\nrc=1",
    );
    expect(slurmWords(() => readWords('sacct', SACCT_OPTIONS, ['-\u001b[31m']), 'sacct')).not.toContain('\u001b');
  });
});
