import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EndColumns } from './end-columns.ts';

test('columns that say nothing are left out, and late ones begin with zeros', () => {
  const ends = new EndColumns();
  ends.addPlain(5, 0, 3);
  ends.addPlain(6, 0, 4);
  ends.add(9, { outcome: 1, logOffset: 7 });
  ends.addPlain(10, 0, 5);
  expect(ends.toEnds()).toEqual({
    runs: [
      [5, 2],
      [9, 2],
    ],
    outcome: [0, 0, 1, 0],
    wallUs: [3, 4, 0, 5],
    logOffset: [0, 0, 7, 0],
  });
  expect(ends.count).toBe(4);
  ends.set(1, { resultBytes: 40 });
  expect(ends.toEnds().resultBytes).toEqual([0, 40, 0, 0]);
});

test('joined, and with only those that are wanted, they are as one row after the other', () => {
  const row = fc.record({
    fence: fc.integer({ min: 1, max: 40 }),
    wallUs: fc.nat(3),
    outcome: fc.nat(2),
    outBytes: fc.nat(1),
  });
  fc.assert(
    fc.property(fc.array(row), fc.array(row), (first, second) => {
      const [one, two] = [first, second].map((rows) => {
        const ends = new EndColumns();
        for (const { fence, ...measured } of rows) {
          if (measured.outBytes === 0) ends.addPlain(fence, measured.outcome, measured.wallUs);
          else ends.add(fence, measured);
        }
        return ends;
      });
      one!.append(two!);
      const isEven = (fence: number) => fence % 2 === 0;
      const kept = [...first, ...second].filter(({ fence }) => isEven(fence));
      const { runs, ...columns } = one!.only(isEven).toEnds();
      const fences = runs.flatMap(([base, count]) => Array.from({ length: count }, (_, at) => base + at));
      expect(fences).toEqual(kept.map(({ fence }) => fence));
      for (const name of ['wallUs', 'outcome', 'outBytes'] as const) {
        expect(columns[name] ?? fences.map(() => 0)).toEqual(kept.map((wanted) => wanted[name]));
      }
    }),
  );
});
