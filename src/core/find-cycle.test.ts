import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findCycle } from './find-cycle.ts';

const of = (edges: Record<string, string[]>) => findCycle(new Map(Object.entries(edges)));

test.each([
  [{}, undefined],
  [{ a: [] }, undefined],
  [{ a: ['b'], b: ['c'], c: [] }, undefined],
  [{ a: ['gone'] }, undefined],
  [{ a: ['a'] }, ['a', 'a']],
  [{ a: ['b'], b: ['a'] }, ['a', 'b', 'a']],
  [{ x: ['a'], a: ['b'], b: ['c'], c: ['a'] }, ['a', 'b', 'c', 'a']],
  [{ a: ['b', 'c'], b: ['c'], c: [] }, undefined],
] as [Record<string, string[]>, string[] | undefined][])('%j', (edges, cycle) => {
  expect(of(edges)).toEqual(cycle);
});

test('a chain of 200,000 needs no stack', () => {
  const edges = new Map(Array.from({ length: 200_000 }, (_, at) => [`${at}`, [`${at + 1}`]]));
  expect(findCycle(edges)).toBeUndefined();
});

test('finds one exactly when taking away what waits for nothing leaves something', () => {
  const node = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  fc.assert(
    fc.property(fc.dictionary(node, fc.array(node, { maxLength: 3 })), (edges) => {
      const left = new Map(Object.entries(edges));
      for (let before = -1; before !== left.size; ) {
        before = left.size;
        for (const [name, waits] of left) if (!waits.some((other) => left.has(other))) left.delete(name);
      }
      const cycle = of(edges);
      expect(cycle !== undefined).toBe(left.size > 0);
      cycle?.slice(1).forEach((name, at) => {
        expect(edges[cycle[at]!]).toContain(name);
      });
    }),
  );
});
