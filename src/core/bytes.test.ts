import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, parseBytes } from './bytes.ts';

describe('parseBytes', () => {
  it.each([
    ['512M', 536_870_912],
    ['4G', 4_294_967_296],
    ['4GB', 4_294_967_296],
    ['4GiB', 4_294_967_296],
    ['4g', 4_294_967_296],
    ['1T', 1_099_511_627_776],
    ['10K', 10_240],
    ['100B', 100],
    ['0', 0],
    ['0M', 0],
  ])('%s', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it('reads a number without a unit where the caller says what it means', () => {
    expect(parseBytes('1024', 'B')).toBe(1024);
    expect(parseBytes('4000', 'M')).toBe(4000 * 1024 ** 2);
    expect(parseBytes('4K', 'M')).toBe(4096);
  });

  it.each([
    ['', 0, 'a whole number with a unit, as 512M or 4G', 'the end'],
    ['M', 0, 'a whole number with a unit, as 512M or 4G', '"M"'],
    ['-1M', 0, 'a whole number with a unit, as 512M or 4G', '"-"'],
    ['1024', 4, 'a unit: B, K, M, G or T (1024M is mebibytes)', 'the end'],
    ['1.5G', 1, 'a unit: B, K, M, G or T', '"."'],
    ['5X', 1, 'a unit: B, K, M, G or T', '"X"'],
    ['5Gi', 1, 'a unit: B, K, M, G or T', '"Gi"'],
    ['8192T', 0, 'less than 8192T', '"8192T"'],
  ])('%j is refused', (text, at, expected, found) => {
    expect(() => parseBytes(text)).toThrow(
      expect.objectContaining({
        code: 'BAD_BYTES',
        message: `amount of bytes, column ${at + 1}: expected ${expected}, found ${found}\n  ${text}\n  ${' '.repeat(at)}^`,
      }),
    );
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0B'],
    [-1, '0B'],
    [1000, '1000B'],
    [1024, '1K'],
    [1_610_612_736, '1536M'],
    [1024 ** 5, '1024T'],
  ])('%d', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('is read back to the same', () => {
    const bytes = fc.tuple(fc.nat({ max: 8000 }), fc.nat({ max: 4 })).map(([count, power]) => count * 1024 ** power);
    fc.assert(
      fc.property(fc.oneof(bytes, fc.nat({ max: Number.MAX_SAFE_INTEGER })), (n) => {
        expect(parseBytes(formatBytes(n))).toBe(n);
      }),
    );
  });
});
