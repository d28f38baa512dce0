import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Allowance, MAX_ATTEMPTS, nextTryMs } from './alert-pace.ts';

const HOUR_MS = 3_600_000;

test('a message is tried again later each time, up to an hour, and given up in the end', () => {
  const delays = Array.from({ length: MAX_ATTEMPTS }, (_, failed) => nextTryMs(failed + 1, 0.5));
  expect(delays.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000]);
  expect(delays.slice(-2)).toEqual([HOUR_MS, undefined]);
});

test('chance moves it by a fifth at most; what the receiver asks for counts when it is longer, up to an hour', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: MAX_ATTEMPTS - 1 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (n, chance) => {
        const middle = nextTryMs(n, 0.5)!;
        const delay = nextTryMs(n, chance)!;
        expect(delay).toBeGreaterThanOrEqual(Math.floor(middle * 0.8));
        expect(delay).toBeLessThanOrEqual(Math.ceil(middle * 1.2));
      },
    ),
  );
  expect(nextTryMs(1, 0.5, 90_000)).toBe(90_000);
  expect(nextTryMs(1, 0.5, 9 * HOUR_MS)).toBe(HOUR_MS);
  expect(nextTryMs(1, 0.5, 10)).toBe(5_000);
});

test('as many messages as allowed go at once, and in each hour as many again', () => {
  const allowance = new Allowance(3, 1_000);
  expect([1, 2, 3].map(() => allowance.take(1_000))).toEqual([0, 0, 0]);
  expect(allowance.take(1_000)).toBe(HOUR_MS / 3);
  expect(allowance.take(1_000)).toBe((2 * HOUR_MS) / 3);
  expect(allowance.take(1_000 + HOUR_MS)).toBe(0);
  // A clock that was set back gives nothing.
  expect(allowance.take(0)).toBeGreaterThan(0);
});

test('in no stretch of time are there more than allowed, if each waits as it is told', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.nat({ max: HOUR_MS }), { maxLength: 60 }),
      (perHour, gaps) => {
        const allowance = new Allowance(perHour, 0);
        let now = 0;
        const sent: number[] = [];
        for (const gap of gaps) {
          now += gap;
          sent.push(now + allowance.take(now));
        }
        for (const from of sent) {
          const within = sent.filter((at) => at >= from && at < from + HOUR_MS).length;
          expect(within).toBeLessThanOrEqual(2 * perHour);
        }
      },
    ),
  );
});
