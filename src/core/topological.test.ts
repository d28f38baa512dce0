import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderByNeeds } from './topological.ts';

const order = (needs: readonly (readonly number[])[]) => orderByNeeds(needs.length, (n) => needs[n]!);

describe('orderByNeeds', () => {
  it.each<[string, number[][], object]>([
    ['nothing', [], { order: [] }],
    ['what needs nothing, as it is', [[], [], []], { order: [0, 1, 2] }],
    ['what stands right, as it is', [[], [0], [0, 1]], { order: [0, 1, 2] }],
    ['what is needed before who needs it', [[2], [0], []], { order: [2, 0, 1] }],
    ['each once', [[3], [3], [3, 0], []], { order: [3, 0, 1, 2] }],
    ['a cycle as its path', [[1], [2], [0]], { cycle: [0, 1, 2, 0] }],
    ['a cycle without the way to it', [[1], [2], [1]], { cycle: [1, 2, 1] }],
    ['what needs itself', [[], [1]], { cycle: [1, 1] }],
  ])('gives %s', (_, needs, found) => {
    expect(order(needs)).toEqual(found);
  });

  it('goes through a chain of a million without recursion', () => {
    const count = 1_000_000;
    const chain = orderByNeeds(count, (n) => (n + 1 < count ? [n + 1] : []));
    expect('order' in chain && [chain.order[0], chain.order.at(-1)]).toEqual([count - 1, 0]);
  });

  it('puts all before who needs them, or names a real cycle', () => {
    const graph = fc
      .integer({ min: 1, max: 12 })
      .chain((count) =>
        fc.array(fc.array(fc.nat({ max: count - 1 }), { maxLength: 3 }), { minLength: count, maxLength: count }),
      );
    fc.assert(
      fc.property(graph, (needs) => {
        const found = order(needs);
        if ('cycle' in found) {
          expect(found.cycle.at(-1)).toBe(found.cycle[0]);
          for (const [at, n] of found.cycle.slice(1).entries()) expect(needs[found.cycle[at]!]).toContain(n);
        } else {
          expect(found.order.toSorted((a, b) => a - b)).toEqual(needs.map((_, n) => n));
          const place = new Map(found.order.map((n, at) => [n, at]));
          for (const [n, before] of needs.entries())
            for (const one of before) expect(place.get(one)).toBeLessThan(place.get(n)!);
        }
      }),
    );
  });
});
