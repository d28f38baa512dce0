import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IndexSet, parseIndexSet } from './index-set.ts';
import { bindName, checkNames, expandName, namesEach, parseNameTemplate } from './instance-name.ts';

const expand = (text: string, index: number, name?: string) =>
  expandName(parseNameTemplate(text), { index, arrayName: 'compute', ...(name === undefined ? {} : { name }) });

describe('a template of names', () => {
  it.each([
    ['worker-{index}', 7, 'worker-7'],
    ['{job-array-name}-{index}', 0, 'compute-0'],
    ['{name}-{index:03}', 7, 'compute-007'],
    ['{index:3}x', 7, '007x'],
    ['{index:03}', 12_345, '12345'],
    ['plain', 1, 'plain'],
    ['', 1, ''],
  ])('%s', (text, index, name) => expect(expand(text, index)).toBe(name));

  it('fills in a name that differs from that of the array', () => {
    expect(expand('{name}-{index}', 1, 'head')).toBe('head-1');
    expect(bindName('{name}-{index}-{name}', '$&')).toBe('$&-{index}-$&');
  });

  it.each([
    ['worker-{idx}', 8, '{idx}'],
    ['{index:100}', 1, '{index:100}'],
    ['{index:99}', 1, '{index:99}'],
    ['a{index', 2, '{index'],
    ['a}', 2, '}'],
    ['{}', 1, '{}'],
  ])('%s is refused at its column', (text, column, found) => {
    const expected = '{index}, {index:03}, {job-array-name} or {name}';
    expect(() => parseNameTemplate(text, '--instance-names')).toThrow(
      `--instance-names, column ${column}: expected ${expected}, found ${JSON.stringify(found)}`,
    );
  });
});

describe('names of members', () => {
  const check = (text: string, array: string) =>
    checkNames(parseNameTemplate(text), parseIndexSet(array).set, { arrayName: 'compute' }, '--instance-names');

  it('must differ, and the first two that do not are named', () => {
    expect(() => check('worker', '3,8,9')).toThrow(
      '--instance-names: expected {index} in the names of 3 members, because each needs its own, found "worker for index 3 and index 8"',
    );
    check('worker', '1');
    expect(namesEach(parseNameTemplate('worker'))).toBe(false);
  });

  it.each([
    ['{index}', '0-3'],
    ['{index}-{index}', '0-3'],
    ['x-20260113-abcd{index}', '1-10'],
  ])('must not look like ids: %s of %s', (text, array) => {
    expect(() => check(text, array)).toThrow('--instance-names: name "');
    expect(() => check(text, array)).toThrow('it would be read as one');
  });

  it('must be DNS labels, the longest as well', () => {
    expect(() => check('Worker-{index}', '4')).toThrow('found "W" at column 1');
    expect(() => check('-{index}', '4')).toThrow('a letter or a digit at both ends');
    expect(() => check(`${'a'.repeat(60)}-{index}`, '1000')).toThrow('1 to 63 characters, found 64');
    check(`${'a'.repeat(60)}-{index}`, '100');
  });

  it('differ whenever the index is in them', () => {
    const piece = fc.constantFrom('{index}', '{index:02}', '{index:03}', 'a', '0', '1', '-', '{name}');
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 5 }),
        fc.nat({ max: 5_000 }),
        fc.nat({ max: 5_000 }),
        (pieces, a, b) => {
          const template = parseNameTemplate(pieces.join(''));
          fc.pre(namesEach(template) && a !== b);
          const names = [a, b].map((index) => expandName(template, { index, arrayName: '01' }));
          expect(names[0]).not.toBe(names[1]);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('are checked without making them all', () => {
    const started = IndexSet.ofSize(1_000_000);
    checkNames(parseNameTemplate('w-{index}'), started, { arrayName: 'x' });
  });
});
