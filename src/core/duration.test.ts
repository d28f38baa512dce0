import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['2s', 2000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1d', 86_400_000],
    ['1D12H', 129_600_000],
    ['90m', 5_400_000],
    ['007s', 7000],
    ['0s', 0],
    ['0', 0],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    ['', 0, 'a whole number with a unit, as 90s, 5m or 1h30m', 'the end'],
    ['90', 2, 'a unit: d, h, m, s or ms (as in 90s, 90m)', 'the end'],
    ['1h30', 4, 'a unit: d, h, m, s or ms (as in 30s, 30m)', 'the end'],
    ['5x', 1, 'a unit: d, h, m, s or ms', '"x"'],
    ['5min', 1, 'a unit: d, h, m, s or ms', '"min"'],
    ['1.5h', 1, 'a unit: d, h, m, s or ms (as in 1s, 1m)', '"."'],
    ['-5s', 0, 'a whole number with a unit, as 90s, 5m or 1h30m', '"-"'],
    ['5 s', 1, 'a unit: d, h, m, s or ms (as in 5s, 5m)', '" "'],
    ['5m1h', 3, 'a smaller unit than the one before', '"h"'],
    ['5m5m', 3, 'a smaller unit than the one before', '"m"'],
    ['1h99999999999999s', 2, 'a duration below 285,000 years', '"99999999999999s"'],
  ])('%j is refused', (text, at, expected, found) => {
    expect(() => parseDuration(text)).toThrow(
      expect.objectContaining({
        code: 'BAD_DURATION',
        message: `duration, column ${at + 1}: expected ${expected}, found ${found}\n  ${text}\n  ${' '.repeat(at)}^`,
      }),
    );
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [-5, '0s'],
    [1499.6, '1s500ms'],
    [5_400_000, '1h30m'],
    [90_061_001, '1d1h1m1s1ms'],
  ])('%d', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('is read back to the same', () => {
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });
});
