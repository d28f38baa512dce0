import { describe, expect, test } from 'vitest';
import { bytes, durationUpTo, nonEmpty, positiveNumber, wholeNumber } from './option-values.ts';

describe('read', () => {
  test.each([
    [() => wholeNumber(-5, 5)('-5', '--p'), -5],
    [() => wholeNumber(0, 1_000)('007', '--p'), 7],
    [() => positiveNumber(4)('0.5', '--p'), 0.5],
    [() => positiveNumber(4)('4', '--p'), 4],
    [() => durationUpTo(86_400_000)('1h30m', '--p'), 5_400_000],
    [() => durationUpTo(86_400_000)('1d', '--p'), 86_400_000],
    [() => bytes('4G', '--p'), 4 * 1024 ** 3],
    [() => nonEmpty('text')(' ', '--p'), ' '],
  ])('%s', (read, expected) => {
    expect(read()).toBe(expected);
  });
});

describe('refused', () => {
  test.each([
    [() => wholeNumber(0, 5)('6', '--p'), '--p: expected a whole number from 0 to 5, found "6"'],
    [() => wholeNumber(0, 5)('', '--p'), '--p: expected a whole number from 0 to 5, found ""'],
    [() => wholeNumber(0, 5)('1e0', '--p'), '--p: expected a whole number from 0 to 5, found "1e0"'],
    [() => wholeNumber(0, 5)('1.0', '--p'), '--p: expected a whole number from 0 to 5, found "1.0"'],
    [() => wholeNumber(0, 5)('٣', '--p'), '--p: expected a whole number from 0 to 5, found "٣"'],
    [() => positiveNumber(4)('0', '--p'), '--p: expected a number above 0 and up to 4, found "0"'],
    [() => positiveNumber(4)('-1', '--p'), '--p: expected a number above 0 and up to 4, found "-1"'],
    [() => positiveNumber(4)('Infinity', '--p'), '--p: expected a number above 0 and up to 4, found "Infinity"'],
    [() => durationUpTo(86_400_000)('25h', '--p'), '--p: expected at most 1d, found "25h"'],
    [() => nonEmpty('text')('', '--p'), '--p: expected text, found ""'],
  ])('%s', (read, message) => {
    expect(read).toThrow(message);
  });

  test('errors of core parsers begin with the option and keep their caret', () => {
    expect(() => durationUpTo(1)('5x', '--time-limit')).toThrow(
      /^--time-limit: duration, column 2: .*\n {2}5x\n {3}\^$/,
    );
    expect(() => bytes('lots', '--memory')).toThrow(/^--memory: amount of bytes, column 1/);
  });
});
