import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { slurmWords } from '../../../test/support/slurm-words.ts';
import { formatCounts, formatHostlist } from '../../core/hostlist.ts';
import { arrayOption, checkArraySize } from './array.ts';
import { dependencyOption } from './dependency.ts';
import { parseHostlist } from './hostlist.ts';

// Answers of Slurm 22.05.8.
describe('--array', () => {
  const read = (text: string) => {
    const array = arrayOption(text);
    if (array !== undefined) checkArraySize(array, 100_001);
    return array === undefined ? 'no array' : `${array.set}${array.throttle > 0 ? `%${array.throttle}` : ''}`;
  };

  test.each([
    ['1-3', '1-3'],
    ['0', '0'],
    ['5', '5'],
    ['3,1,2', '1-3'],
    ['1-10:3,20-30:5', '1-10:3,20-30:5'],
    ['1-10:2%2', '1-9:2%2'],
    ['0-3%100', '0-3%100'],
    ['007-010', '7-10'],
    ['1-3,', '1-3'],
    ['[1-3]', '1-3'],
    ['[1-3]%2', '1-3%2'],
    ['[1-3%2]', '1-3%2'],
    ['1-3%0', '1-3'],
    ['1-3%', '1-3'],
    ['1-3%-1', '1-3'],
    ['1-3%1%2', '1-3%1'],
    ['', 'no array'],
    [',', 'no array'],
    ['1-3:4', '1-1:4'],
    ['0-100000', '0-100000'],
    [' 1-3', '1-3'],
    ['1,,2', '1-2'],
    [',1', '1'],
    ['1, 2', '1-2'],
    ['+1', '1'],
    ['[1-3', '1-3'],
    ['1-3]', '1-3'],
    ['1-3]%2', '1-3%2'],
    ['[1-3%2', '1-3%2'],
    ['1-3:2%x', '1-3:2'],
    ['1%2,3', '1,3%2'],
    ['1-3%2,5', '1-3,5%2'],
    ['1-3%4294967296', '1-3'],
    ['3%+1', '3%1'],
    ['5-5:3', '5-5:3'],
  ])('%j', (text, array) => expect(read(text)).toBe(array));

  test.each([
    '1-3 ',
    '5-1',
    '1-3:0',
    '1-3:-1',
    'abc',
    '-1',
    '1 -3',
    '1 ,2',
    '1-3:2:2',
    '99999999999',
    '4294967297',
    '1-',
    '1--3',
    '1.5',
    '1;2',
    '0x10',
    '1e2',
    '*',
    '1-3\n',
    ' [1-3]',
    '1-[3]',
    '1 %2',
    '1:2',
    // Read by Slurm as the index 0, which nobody means.
    '-',
    '%2',
    '[]',
  ])('not %j', (text) =>
    expect(slurmWords(() => read(text)).split('\n')[0]).toBe(
      'sbatch: error: Batch job submission failed: Invalid job array specification',
    ),
  );

  test('what is too large is told how to split, and what --test-only says', () => {
    const split =
      'sbatch: the largest index is 100000; submit --array=1-100000 and what is above as further arrays, whose tasks add 100000 to their index\nrc=1';
    expect(slurmWords(() => read('0-100001'))).toContain(split);
    expect(slurmWords(() => read('100001'))).toContain(split);
    expect(slurmWords(() => read('5-1'), 'sbatch', true)).toBe(
      'allocation failure: Invalid job array specification\nrc=1',
    );
    expect(slurmWords(() => read('5-1'), 'srun')).toContain('srun: error: Unable to allocate resources: Invalid');
  });
});

describe('--dependency', () => {
  test.each([
    ['afterok:7', 'afterok:7'],
    ['after:7+5', 'after:7+5'],
    ['after:7+5m', 'after:7+5'],
    ['after:7+ 5min', 'after:7+5'],
    ['afterburstbuffer:7', 'afterany:7'],
    ['SINGLETON', 'singleton'],
    ['AFTEROK:7', 'afterok:7'],
    ['7', 'afterany:7'],
    ['7,8', 'afterany:7,afterany:8'],
    ['7_1', 'afterany:7_1'],
    ['7_*', 'afterany:7'],
    ['afterok:7:8', 'afterok:7,afterok:8'],
    ['afterok:7?afterany:8', 'afterok:7?afterany:8'],
    ['afterok:7_2', 'afterok:7_2'],
    ['afterok:7_[1,3]', 'afterok:7_[1,3]'],
    ['afterok:7_[1,3],after:8_[2-4]', 'afterok:7_[1,3],after:8_[2-4]'],
    ['afterok:7_*', 'afterok:7'],
    ['afterok:7_', 'afterok:7_0'],
    ['singleton,afterok:7', 'singleton,afterok:7'],
    ['after:7+5:8+3', 'after:7+5,after:8+3'],
    ['afterok: 7', 'afterok:7'],
    ['afterok:07', 'afterok:7'],
    ['afterok:7+5', 'afterok:7'],
    ['', undefined],
    ['0', undefined],
  ])('%j', (text, ours) => expect(dependencyOption(text)).toBe(ours));

  test.each([
    '7:8',
    'afterok:7:singleton',
    'afterok',
    'afterok:',
    'nope:7',
    'afterok:abc',
    'afterok:7,',
    ',afterok:7',
    'afterok:7,,afterok:8',
    'afterok:7_[1-2',
    'afterok:7_x',
    'afterok:7 afterok:8',
    'after:7+0',
    'after:7+x',
    '-1',
    'afterok:0',
    'singleton:7',
    'afterok:7;',
    'afterok=7',
    '7+5',
    '7_[1,3]',
    'afterok:7 ',
    'afterok :7',
    // One of the two is meant; Slurm takes all of them for alternatives.
    'afterok:7,afterany:8?after:9',
  ])('not %j', (text) =>
    expect(slurmWords(() => dependencyOption(text))).toBe(
      'sbatch: error: Batch job submission failed: Job dependency problem\nrc=1',
    ),
  );

  test('expand', () => {
    expect(slurmWords(() => dependencyOption('expand:7'))).toContain('Requested operation not supported');
  });
});

describe('lists of hosts', () => {
  test.each([
    ['n1,n2,n3,m5', 'n[1-3],m5'],
    ['n3,n1', 'n[3,1]'],
    ['n01,n02,n10', 'n[01-02,10]'],
    ['n1,n1', 'n[1,1]'],
    ['a1b2,a1b3', 'a1b[2-3]'],
    ['n9,n10,n11', 'n[9-11]'],
    ['n09,n10', 'n[09-10]'],
    ['n', 'n'],
    ['n1,n,n2', 'n1,n,n2'],
    ['n1,m1,n2', 'n1,m1,n2'],
    ['n1-ib,n2-ib', 'n1-ib,n2-ib'],
    ['n008,n009,n010,n11', 'n[008-010,11]'],
    ['1,2,3', '[1-3]'],
    ['', ''],
  ])('of %s', (names, text) => expect(formatHostlist(names.split(',').filter((name) => name !== ''))).toBe(text));

  test.each([
    ['n[1-3,5],m5', 'n1 n2 n3 n5 m5'],
    ['n[01-03]', 'n01 n02 n03'],
    ['n[1-2]x[1-2]', 'n1x1 n1x2 n2x1 n2x2'],
    ['', ''],
  ])('names of %s', (text, names) => expect(parseHostlist(text).join(' ')).toBe(names));

  test('that cannot be read', () => {
    const words = (text: string) => slurmWords(() => parseHostlist(text), 'scontrol');
    expect(words('n[3-1]')).toBe(
      "scontrol: error: _parse_single_range: Invalid range: `3-1'\nInvalid hostlist: n[3-1]\nrc=1",
    );
    expect(words('n[1-')).toBe('Invalid hostlist: n[1-\nrc=1');
    expect(words('m5,n[1-2]-ib')).toBe('Invalid hostlist: m5,n[1-2]-ib\nrc=1');
    expect(words('n[1-9999]x[1-9999]')).toContain('Invalid hostlist');
    expect(words('n[1-40000],m[1-40000]')).toContain('Invalid hostlist');
  });

  test('are read back', () => {
    const name = fc.stringMatching(/^[a-c]{1,2}[0-9]{0,3}$/);
    fc.assert(
      fc.property(fc.array(name, { maxLength: 30 }), (names) => {
        expect(parseHostlist(formatHostlist(names))).toEqual(names);
      }),
    );
  });

  test('counts of nodes', () => {
    expect([formatCounts([3, 1, 1]), formatCounts([6, 2, 2]), formatCounts([4]), formatCounts([])]).toEqual([
      '3,1(x2)',
      '6,2(x2)',
      '4',
      '',
    ]);
  });
});
