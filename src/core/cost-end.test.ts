import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mayEndForMs, putByMs } from './cost-end.ts';

test('an end is paid for by the share, and never takes more than a quarter of it', () => {
  expect(putByMs(100_000, 16_000)).toBe(16_000);
  expect(putByMs(8_000, 16_000)).toBe(2_000);
  expect(putByMs(-1, 16_000)).toBe(0);
});

test('what ends has until its share is used up, and a second when it is', () => {
  expect(mayEndForMs(undefined, 3.6, 0)).toBe(Number.POSITIVE_INFINITY);
  expect(mayEndForMs(0.01, 0, 0)).toBe(Number.POSITIVE_INFINITY);
  expect(mayEndForMs(0.01, 3.6, 4_000)).toBe(6_000);
  expect(mayEndForMs(0.01, 3.6, 12_000)).toBe(1_000);
});

test('who acts when only the end is left, and ends within what is left, stays within the share', () => {
  const amount = { min: 0.001, max: 100, noNaN: true };
  fc.assert(
    fc.property(fc.double(amount), fc.double(amount), fc.nat(400_000), (share, rate, endMs) => {
      const shareMs = (share / rate) * 3_600_000;
      const actsAtMs = shareMs - putByMs(shareMs, endMs);
      const endedMs = actsAtMs + Math.min(endMs, mayEndForMs(share, rate, actsAtMs));
      expect(endedMs).toBeLessThanOrEqual(shareMs + 1_000);
    }),
  );
});
