import fc from 'fast-check';
import { expect, test } from 'vitest';
import { equalUntil } from './equal-until.ts';

/** What it says, one place at a time. */
function plain(column: Uint8Array, at: number, end: number): number {
  let next = at + 1;
  while (next < end && column[next] === column[at]) next++;
  return next;
}

test('finds the first place that differs, however long the run is', () => {
  const run = fc.tuple(fc.constantFrom(0, 1, 127, 128, 255), fc.integer({ min: 1, max: 300 }));
  fc.assert(
    fc.property(fc.array(run, { minLength: 1, maxLength: 6 }), fc.nat(), fc.nat(), (runs, some, less) => {
      const column = Uint8Array.from(runs.flatMap(([value, count]) => new Array<number>(count).fill(value)));
      const at = some % column.length;
      const end = Math.max(at + 1, column.length - (less % 40));
      expect(equalUntil(column, at, end)).toBe(plain(column, at, end));
    }),
  );
});

test('of a run that goes to the end gives the end', () => {
  expect(equalUntil(new Uint8Array(1_003).fill(7), 1, 1_003)).toBe(1_003);
  expect(equalUntil(new Uint8Array(1_003).fill(7), 1, 997)).toBe(997);
  expect(equalUntil(new Uint8Array(3), 2, 3)).toBe(3);
});
