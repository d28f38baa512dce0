import { expect, test } from 'vitest';
import { counted, cut, isoTime, oneLine, shownBytes, shownCount, shownDuration, shownRate } from './format.ts';

test.each([
  [0, '0ms'],
  [999, '999ms'],
  [1_000, '1.0s'],
  [59_949, '59.9s'],
  [59_960, '1m00s'],
  [65_400, '1m05s'],
  [3_599_900, '1h00m'],
  [7_380_000, '2h03m'],
  [86_399_999, '1d00h'],
  [273_600_000, '3d04h'],
  [Number.NaN, '-'],
  [-5, '-'],
])('a duration of %d ms is shown as %s', (ms, text) => {
  expect(shownDuration(ms)).toBe(text);
});

test.each([
  [0, '0B'],
  [1_023, '1023B'],
  [1_024, '1.0K'],
  [1_536, '1.5K'],
  [20 * 1_024 ** 2, '20M'],
  [1_024 ** 2 - 1, '1.0M'],
  [3 * 1_024 ** 6, '3072P'],
])('%d bytes are shown as %s', (bytes, text) => {
  expect(shownBytes(bytes)).toBe(text);
});

test('counts and rates', () => {
  expect([0, 999, 1_000, 1_234_567].map(shownCount)).toEqual(['0', '999', '1,000', '1,234,567']);
  expect([0, 1, 2_000].map((count) => counted(count, 'task'))).toEqual(['no task', '1 task', '2,000 tasks']);
  expect([0.25, 9.96, 1_234.5].map(shownRate)).toEqual(['0.3/s', '10/s', '1,235/s']);
});

test('times are ISO 8601 in UTC', () => {
  expect(isoTime(1_795_247_000_123)).toBe('2026-11-21T07:43:20.123Z');
  expect(isoTime(undefined)).toBeNull();
});

test('text of others stays on its line and cannot steer the terminal', () => {
  expect(oneLine('a\tb\nc\rd\x1b[31m\u2028\u202e')).toBe('a\\tb\\nc\\rd·[31m··');
});

test('cut counts characters, not code units', () => {
  expect(cut('😀😀😀', 3)).toBe('😀😀😀');
  expect(cut('😀😀😀😀', 3)).toBe('😀😀…');
});
