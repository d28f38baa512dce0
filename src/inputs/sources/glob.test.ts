import { matchesGlob } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expandBraces } from './braces.ts';
import { fitsName, parseName } from './glob.ts';
import { fitsPath, parsePath } from './path-pattern.ts';

const fits = (pattern: string, name: string) => fitsName(parseName(pattern, 'from[0]'), name, true);

describe('a pattern of one name', () => {
  test('fits what Node says it fits', () => {
    const letters = fc.constantFrom('a', 'b', 'c', '-', 'é');
    const piece = fc.oneof(letters, fc.constantFrom('*', '?', '[ab]', '[!a]', '[a-c]', '[b-]', '*'));
    const patterns = fc.array(piece, { minLength: 1, maxLength: 6 }).map((all) => all.join(''));
    const names = fc
      .array(fc.oneof(letters, fc.constant('*')), { minLength: 1, maxLength: 6 })
      .map((all) => all.join(''));
    fc.assert(
      fc.property(patterns, names, (pattern, name) => {
        fc.pre(!pattern.includes('**'));
        expect(fits(pattern, name)).toBe(matchesGlob(name, pattern));
      }),
      { numRuns: 2_000 },
    );
  });

  test('knows characters beyond the first plane as one, and a backslash', () => {
    expect(fits('?[!a]', '😀*')).toBe(true);
    expect(fits('??', '😀')).toBe(false);
    expect(fits('\\*', '*')).toBe(true);
    expect(fits('\\*', 'a')).toBe(false);
  });

  test('takes no long time for any', () => {
    expect(fits(`${'*a'.repeat(60)}b`, 'a'.repeat(255))).toBe(false);
  });

  test('stands for a dot at the beginning only where that is wanted', () => {
    expect(fitsName(parseName('*', ''), '.hidden', false)).toBe(false);
    expect(fitsName(parseName('?hidden', ''), '.hidden', false)).toBe(false);
    expect(fitsName(parseName('[.]hidden', ''), '.hidden', false)).toBe(false);
    expect(fitsName(parseName('.h*', ''), '.hidden', false)).toBe(true);
    expect(fitsName(parseName('*', ''), '.hidden', true)).toBe(true);
  });

  test('says when a set does not end', () => {
    expect(() => parseName('a[bc', 'from[0]')).toThrow(
      'from[0]: expected "]" at the end of a set of characters, found "a[bc"',
    );
    expect(fits('[]]', ']')).toBe(true);
    expect(fits('[!]]', ']')).toBe(false);
  });
});

test.each([
  ['a{b,c}d', ['abd', 'acd']],
  ['{a,b}{1,2}', ['a1', 'a2', 'b1', 'b2']],
  ['{a,b{c,d}}', ['a', 'bc', 'bd']],
  ['{,x}', ['', 'x']],
  ['p-{08..11}', ['p-08', 'p-09', 'p-10', 'p-11']],
  ['{2..0}', ['2', '1', '0']],
  ['{-1..1}', ['-1', '0', '1']],
  ['{a}', ['{a}']],
  ['{a,b', ['{a,b']],
  ['a}b', ['a}b']],
  ['\\{a,b}', ['\\{a,b}']],
  ['{{a,b}', ['{a', '{b']],
])('%s stands for %j', (pattern, texts) => {
  expect(expandBraces(pattern, 'from[0]')).toEqual(texts);
});

test('braces that stand for too much are refused at once', () => {
  for (const pattern of ['{1..100000}', '{1..200}{1..200}', '{1..999999999999999}']) {
    expect(() => expandBraces(pattern, 'from[0]')).toThrow(
      'from[0]: expected a pattern that stands for at most 10000 texts',
    );
  }
});

test.each([
  ['**', 'a', true],
  ['**', 'a/b/c', true],
  ['a/**', 'a', false],
  ['a/**', 'a/b', true],
  ['**/b', 'b', true],
  ['**/b', 'x/y/b', true],
  ['**/b', 'x/b/y', false],
  ['a/**/b/**/c', 'a/b/c', true],
  ['a/**/b/**/c', 'a/x/b/y/z/c', true],
  ['a/*/c', 'a/c', false],
  ['**/x**', 'a/b/xyz', true],
])('the path %s fits %s: %s', (pattern, path, expected) => {
  expect(fitsPath(parsePath(pattern.split('/'), true, ''), path.split('/'), () => true)).toBe(expected);
});
