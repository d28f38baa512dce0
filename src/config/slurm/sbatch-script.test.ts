import { describe, expect, test } from 'vitest';
import { slurmWords } from '../../../test/support/slurm-words.ts';
import { checkBatchScript, readDirectives, wrappedScript } from './sbatch-script.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const words = (...lines: string[]) => readDirectives(bytes(['#!/bin/sh', ...lines, ''].join('\n')), 's.sh');
const refused = (...lines: string[]) => slurmWords(() => words(...lines));

// Answers of Slurm 22.05.8.
describe('#SBATCH lines', () => {
  test.each([
    [
      ['#SBATCH -J in', 'echo', '#SBATCH -t 7'],
      ['-J', 'in'],
    ],
    [
      ['', '# c', '#SBATCH -J in', ' \t', '# x', '#SBATCH -t 7', 'echo'],
      ['-J', 'in', '-t', '7'],
    ],
    [
      ['  #SBATCH -J in', '#SBATCH -t 7'],
      ['-t', '7'],
    ],
    [['#SBATCH\t-J\tin'], ['-J', 'in']],
    [['#SBATCH-H'], ['-H']],
    [['#SBATCHX -J no4'], ['X', '-J', 'no4']],
    [
      ['##SBATCH -J no', '# SBATCH -J no2', '#sbatch -J no3', '#PBS -N pbs', '#SBATCH -t 7'],
      ['-t', '7'],
    ],
    [
      ['#SBATCH', '#SBATCH -t 7'],
      ['-t', '7'],
    ],
    [['#SBATCH -J in # comment -t 7'], ['-J', 'in']],
    [['#SBATCH -J in#x'], ['-J', 'in']],
    [['#SBATCH --zz="a b"c'], ['--zz=a bc']],
    [["#SBATCH --comment='two words' -t 7"], ['--comment=two words', '-t', '7']],
    [['#SBATCH "--zz=a#b"'], ['--zz=a#b']],
    [['#SBATCH --zz=a\\ b'], ['--zz=a', 'b']],
    [['#SBATCH --zz=\\#b'], ['--zz=#b']],
    [['#SBATCH --zz=a\\tb\\\\ -Y'], ['--zz=atb\\', '-Y']],
    [['#SBATCH --zz=\\"x'], ['--zz="x']],
    [['#SBATCH --zz="a\\"b"'], ['--zz=a"b']],
    [["#SBATCH --zz='a\\'b'"], ["--zz=a'b"]],
    [
      ['#SBATCH -t 7\\', ' -J x'],
      ['-t', '7'],
    ],
    [
      ['#SBATCH --comment "" -t 7', '#SBATCH -H'],
      ['--comment', '-H'],
    ],
    [['#SBATCH -J x:y --zz'], ['-J', 'x:y', '--zz']],
    [['#SBATCH -J $HOME'], ['-J', '$HOME']],
    [['#SBATCH --zz=ü'], ['--zz=ü']],
    [['"""', '#SBATCH -t 7'], []],
    [['#SBATCH a hetjob'], ['a', 'hetjob']],
  ])('%j', (lines, read) => expect(words(...lines)).toEqual(read));

  test('that cannot be read', () => {
    expect(refused('#SBATCH --comment="open -t 7')).toBe(
      'sbatch: fatal: s.sh: line 2: Unmatched `"` in [--comment="open -t 7]\nrc=1',
    );
    expect(refused('', '#SBATCH   -J  x   --zz="open  ')).toBe(
      'sbatch: fatal: s.sh: line 3: Unmatched `"` in [   --zz="open  ]\nrc=1',
    );
    expect(refused('#SBATCH : --zz')).toBe('sbatch: fatal: s.sh: line 2: Unexpected `:` in [: --zz]\nrc=1');
    expect(refused('#SBATCH -J x : --zz')).toBe('sbatch: fatal: s.sh: line 2: Unexpected `:` in [ : --zz]\nrc=1');
    expect(refused('#SBATCH  hetjob')).toBe(
      'sbatch: error: Batch job submission failed: Requested operation not supported on this system\nrc=1',
    );
    expect(refused(...Array.from({ length: 10_001 }, () => '#SBATCH -H'))).toContain('more than 10000 words');
    expect(refused(`#SBATCH ${'-H '.repeat(500_000)}`)).toContain('more than 10000 words');
  });

  test('of the script that --wrap makes there are none', () => {
    expect(wrappedScript('a  b "c"')).toBe('#!/bin/sh\n# This script was created by sbatch --wrap.\n\na  b "c"\n');
    expect(readDirectives(bytes(wrappedScript('#SBATCH -H')), 'wrap')).toEqual(['-H']);
  });
});

describe('a script', () => {
  const check = (text: string) => slurmWords(() => checkBatchScript(bytes(text)));
  const noScript = [
    'sbatch: error: This does not look like a batch script.  The first',
    'sbatch: error: line must start with #! followed by the path to an interpreter.',
    'sbatch: error: For instance: #!/bin/sh',
    'rc=1',
  ].join('\n');
  const dos =
    'sbatch: error: Batch script contains DOS line breaks (\\r\\n)\nsbatch: error: instead of expected UNIX line breaks (\\n).\nrc=1';
  const nul =
    "sbatch: error: The Slurm controller does not allow scripts that\nsbatch: error: contain a NULL character '\\0'.\nrc=1";

  test.each([
    ['#!\n', 'accepted'],
    ['#! /bin/sh', 'accepted'],
    ['#!/bin/sh\necho a\rb\n', 'accepted'],
    ['', 'sbatch: error: Batch script is empty!\nrc=1'],
    [' \n\t', 'sbatch: error: Batch script contains only whitespace!\nrc=1'],
    ['echo hi\n', noScript],
    ['\n#!/bin/sh\n', noScript],
    [' #!/bin/sh\n', noScript],
    ['#', noScript],
    ['a\0b', noScript],
    ['\ufeff#!/bin/sh\n', noScript],
    ['#!/bin/sh\n#SBATCH -t 7\r\necho\n', dos],
    ['#!/bin/sh\r\n', dos],
    ['#!/bin/sh\r\r\n', dos],
    ['#!/bin/sh\n\0\r\n', nul],
  ])('%j', (text, answer) => expect(check(text)).toBe(answer));
});
