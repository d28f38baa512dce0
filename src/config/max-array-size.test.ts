import { expect, test } from 'vitest';
import { readMaxArraySize } from './max-array-size.ts';

test('a million unless it is set', () => {
  expect(readMaxArraySize({})).toBe(1_000_000);
  expect(readMaxArraySize({ SPAWN_MAX_ARRAY_SIZE: '' })).toBe(1_000_000);
  expect(readMaxArraySize({ SPAWN_MAX_ARRAY_SIZE: '2500000' })).toBe(2_500_000);
  expect(readMaxArraySize({ SPAWN_MAX_ARRAY_SIZE: '100000000' })).toBe(100_000_000);
});

test.each(['0', '-1', '1e6', '1,000', '100000001', '9999999999', 'many'])('%s is refused', (text) => {
  expect(() => readMaxArraySize({ SPAWN_MAX_ARRAY_SIZE: text })).toThrow(
    `SPAWN_MAX_ARRAY_SIZE: expected a whole number from 1 to 100000000, found "${text}"`,
  );
});
