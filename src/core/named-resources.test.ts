import { describe, expect, test } from 'vitest';
import { isSpawnError } from './errors.ts';
import { readNamedResources } from './named-resources.ts';

const read = (texts: string[], most = 3) => readNamedResources(texts, '--resources', most);

describe('named amounts', () => {
  test.each([
    [[], {}],
    [['license=2'], { license: 2 }],
    [['license=2,scratch=0.5', 'A.b_c-1=0.0001'], { license: 2, scratch: 0.5, 'A.b_c-1': 0.0001 }],
    [['a=0,b=1000000000000'], { b: 1e12 }],
    [['constructor=1'], { constructor: 1 }],
  ])('%j', (texts, expected) => {
    expect(read(texts)).toEqual(expected);
  });

  test.each([
    '',
    'license',
    '=1',
    'license=',
    'license=-1',
    'a=1,',
    'a=1e3',
    'a=0.00001',
    '1a=1',
    'a b=1',
    'a=1=2',
    'a=1000000000001',
  ])('%j is refused', (text) => {
    const last = text.includes(',') ? '' : text;
    expect(refusal([text])).toBe(
      `--resources: expected NAME=AMOUNT[,NAME=AMOUNT…], an amount with at most 4 decimals, as license=2,scratch=0.5, found ${JSON.stringify(last)}`,
    );
  });

  test('a name that comes twice, also with 0', () => {
    expect(refusal(['a=1,b=1', 'a=0'])).toBe('--resources: expected a once, found "a=0"');
  });

  test('too many names', () => {
    expect(read(['a=1,b=1,c=1,d=0'])).toEqual({ a: 1, b: 1, c: 1 });
    expect(refusal(['a=1,b=1,c=1,d=1'])).toBe('--resources: expected at most 3 names, found 4');
  });
});

function refusal(texts: string[]): string {
  try {
    read(texts);
  } catch (error) {
    if (isSpawnError(error)) return error.message;
    throw error;
  }
  return '';
}
