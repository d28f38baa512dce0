import { describe, expect, it } from 'vitest';
import { matchesTags, parseTagFilter } from './tag-filter.ts';

describe('a filter by tag', () => {
  it.each([
    ['team=ml', 'team', 'ml'],
    ['url=a=b', 'url', 'a=b'],
    ['empty=', 'empty', ''],
    ['array:id=compute-20260113-abc123', 'spawn:job-array-id', 'compute-20260113-abc123'],
    ['array:name=compute', 'spawn:job-array-name', 'compute'],
    ['array:index=5', 'spawn:job-array-index', '5'],
    ['array:size=8', 'spawn:job-array-size', '8'],
    ['spawn:job-array-size=8', 'spawn:job-array-size', '8'],
    ['constructor=x', 'constructor', 'x'],
  ])('%s', (text, key, value) => expect(parseTagFilter(text)).toEqual({ key, value }));

  it.each(['team', '=ml', ''])('%j is refused', (text) => {
    expect(() => parseTagFilter(text, '--tag')).toThrow(`--tag: expected key=value, found ${JSON.stringify(text)}`);
  });

  it('knows the short forms by heart', () => {
    expect(() => parseTagFilter('array:idx=1', '--tag')).toThrow('did you mean "array:id"?');
    expect(() => parseTagFilter('array:=1', '--tag')).toThrow(
      'expected one of array:id, array:name, array:index, array:size',
    );
  });
});

it('matches tags that fulfil all filters exactly', () => {
  const tags = { team: 'ml', 'spawn:job-array-index': '1' };
  const filters = ['team=ml', 'array:index=1'].map((text) => parseTagFilter(text));
  expect(matchesTags([], {})).toBe(true);
  expect(matchesTags(filters, tags)).toBe(true);
  expect(matchesTags(filters, { ...tags, 'spawn:job-array-index': '10' })).toBe(false);
  expect(matchesTags(filters, { team: 'ml' })).toBe(false);
  expect(matchesTags([parseTagFilter('constructor=x')], {})).toBe(false);
});
