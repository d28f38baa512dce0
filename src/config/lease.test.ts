import { expect, test } from 'vitest';
import { readLease } from './lease.ts';

test.each([
  [undefined, 30_000],
  ['', 30_000],
  ['2s', 2_000],
  ['1m30s', 90_000],
  ['1h', 3_600_000],
])('%j', (text, ms) => {
  expect(readLease({ SPAWN_LEASE: text })).toBe(ms);
});

test.each(['1s', '1999ms', '2h', 'soon', '-5s', '0'])('%j is refused', (text) => {
  expect(() => readLease({ SPAWN_LEASE: text })).toThrow(
    `SPAWN_LEASE: expected a duration from 2s to 1h, found ${JSON.stringify(text)}`,
  );
});
