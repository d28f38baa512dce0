import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FenceSet } from './fence-set.ts';

const base = fc.integer({ min: 1, max: 60 });
const count = fc.integer({ min: 1, max: 20 });

function range(from: number, length: number): number[] {
  return Array.from({ length }, (_, i) => from + i);
}

test('is a set, whatever is added and deleted', () => {
  const step = fc.tuple(fc.constantFrom('add', 'delete'), base, count);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), base, count, (steps, askedBase, askedCount) => {
      const set = new FenceSet();
      const model = new Set<number>();
      for (const [what, from, length] of steps) {
        if (what === 'add') set.add(from, length);
        else set.delete(from, length);
        for (const fence of range(from, length)) {
          if (what === 'add') model.add(fence);
          else model.delete(fence);
        }
      }
      const runs = set.runs();
      expect(runs.flatMap(([from, length]) => range(from, length))).toEqual([...model].sort((a, b) => a - b));
      // Neighbours are one run.
      for (let i = 1; i < runs.length; i++) expect(runs[i]![0]).toBeGreaterThan(runs[i - 1]![0] + runs[i - 1]![1]);
      expect(set.digest()).toEqual({ count: model.size, sum: [...model].reduce((a, b) => a + b, 0) });
      const asked = range(askedBase, askedCount);
      expect(set.within(askedBase, askedCount).flatMap(([from, length]) => range(from, length))).toEqual(
        asked.filter((fence) => model.has(fence)),
      );
      expect(set.without(askedBase, askedCount).flatMap(([from, length]) => range(from, length))).toEqual(
        asked.filter((fence) => !model.has(fence)),
      );
      for (const fence of asked) expect(set.has(fence)).toBe(model.has(fence));
    }),
  );
});

test('sums modulo 2^48, exactly', () => {
  const set = new FenceSet();
  const high = 2 ** 52 - 2_000_000;
  set.add(high, 1_000_000);
  set.add(3);
  set.delete(high + 1);
  const sum = BigInt(high) * 1_000_000n + (1_000_000n * 999_999n) / 2n + 3n - BigInt(high + 1);
  expect(set.digest()).toEqual({ count: 1_000_000, sum: Number(sum % 2n ** 48n) });
});

test('forgets the lowest runs', () => {
  const set = new FenceSet();
  for (let fence = 1; fence < 100; fence += 2) set.add(fence);
  set.keepHighest(2);
  expect(set.runs()).toEqual([
    [97, 1],
    [99, 1],
  ]);
  expect(set.digest()).toEqual({ count: 2, sum: 196 });
});
