import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inOrder } from './name-table.ts';

test('any number of names is sorted as if at once', () => {
  const name = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 5 })
    .filter((text) => !text.includes('\0') && text.isWellFormed());
  fc.assert(
    fc.property(fc.array(name, { maxLength: 40 }), fc.integer({ min: 1, max: 10 }), (names, atOnce) => {
      expect([...inOrder(names, atOnce)]).toEqual(names.toSorted());
    }),
  );
});
