import { describe, expect, test, vi } from 'vitest';
import * as dependency from './dependency.ts';
import { checkNamedDependency, namesIn, replaceNames } from './named-dependency.ts';

vi.mock('./dependency.ts', { spy: true });

describe('names in a dependency', () => {
  test.each([
    ['afterok:clean', [{ at: 8, type: 'afterok', name: 'clean' }]],
    ['afterok:12', []],
    ['singleton', []],
    ['clean', []],
    [
      'AfterOK:a:b,aftercorr:c',
      [
        { at: 8, type: 'afterok', name: 'a' },
        { at: 10, type: 'afterok', name: 'b' },
        { at: 22, type: 'aftercorr', name: 'c' },
      ],
    ],
    ['after:x+5', [{ at: 6, type: 'after', name: 'x' }]],
  ])('%s', (text, names) => {
    expect(namesIn(text)).toEqual(names);
  });

  test('are replaced from the last to the first', () => {
    const text = 'afterok:clean:x?after:12';
    expect(replaceNames(text, namesIn(text), (name) => `${name.length}`)).toBe('afterok:5:1?after:12');
  });
});

describe('the check', () => {
  test.each(['afterok:clean', 'afterok:12_[1-3],aftercorr:fit', 'singleton', 'after:fit+5'])('takes %s', (text) => {
    expect(() => checkNamedDependency(text)).not.toThrow();
  });

  test('shows the text as it was written', () => {
    expect(() => checkNamedDependency('afterok:clean,oops:1')).toThrow('column 15');
    expect(() => checkNamedDependency('clean')).toThrow('"clean"');
  });

  test('a fault of our own goes on as it is', () => {
    const fault = new Error('ours');
    vi.mocked(dependency.parseDependency).mockImplementationOnce(() => {
      throw fault;
    });
    expect(() => checkNamedDependency('afterok:1')).toThrow(fault);
  });
});
