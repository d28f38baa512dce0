import fc from 'fast-check';
import { expect, test } from 'vitest';
import { leaseTerm } from './lease.ts';

const at = (monotonicMs: number, bootMs = monotonicMs) => ({ monotonicMs, bootMs });

test('ends, grace included, before the coordinator counts it over', () => {
  expect(leaseTerm(30_000, at(1_000), at(1_200))).toEqual({ ms: 23_800, graceMs: 3_000 });
  expect(leaseTerm(1_000, at(0), at(100))).toEqual({ ms: 700, graceMs: 100 });
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 600_000 }),
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      (leaseMs, elapsed) => {
        const { ms, graceMs } = leaseTerm(leaseMs, at(5), at(5 + elapsed));
        expect(elapsed + ms + graceMs).toBeLessThan(leaseMs);
        expect(graceMs).toBeGreaterThanOrEqual(0);
      },
    ),
  );
});

test('a suspend counts, seen by either clock', () => {
  expect(leaseTerm(30_000, at(0, 0), at(10, 40_000)).ms).toBeLessThan(0);
  expect(leaseTerm(30_000, at(0, 0), at(40_000, 10)).ms).toBeLessThan(0);
});
