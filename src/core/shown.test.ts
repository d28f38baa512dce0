import { expect, test } from 'vitest';
import { counted, listed, shownBytes, shownCount, shownDuration } from './shown.ts';

test.each([
  [0, '0ms'],
  [999, '999ms'],
  [59_949, '59.9s'],
  [65_400, '1m05s'],
  [7_380_000, '2h03m'],
  [273_600_000, '3d04h'],
  [Number.NaN, '-'],
])('a duration of %d ms is shown as %s', (ms, text) => {
  expect(shownDuration(ms)).toBe(text);
});

test.each([
  [0, '0B'],
  [1_536, '1.5K'],
  [20 * 1_024 ** 2, '20M'],
  [3 * 1_024 ** 6, '3072P'],
])('%d bytes are shown as %s', (bytes, text) => {
  expect(shownBytes(bytes)).toBe(text);
});

test('counts and lists', () => {
  expect([0, 999, 1_234_567].map(shownCount)).toEqual(['0', '999', '1,234,567']);
  expect([0, 1, 2_000].map((count) => counted(count, 'task'))).toEqual(['no task', '1 task', '2,000 tasks']);
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(listed)).toEqual(['', 'a', 'a and b', 'a, b and c']);
});
