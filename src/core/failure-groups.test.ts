import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupFailures, shareOut } from './failure-groups.ts';

const said = (position: number, message: string | undefined, outcome = 1) => ({ position, outcome, message });

describe('groups of failures', () => {
  it('are exact when every task was looked at', () => {
    const sample = [said(7, 'a'), said(3, 'b'), said(5, 'a'), said(9, undefined, 2)];
    const counts = new Map([
      [1, 3],
      [2, 1],
    ]);
    expect(groupFailures(counts, sample)).toEqual([
      { outcome: 1, message: 'a', tasks: 2, estimated: false, positions: [5, 7] },
      { outcome: 1, message: 'b', tasks: 1, estimated: false, positions: [3] },
      { outcome: 2, message: undefined, tasks: 1, estimated: false, positions: [9] },
    ]);
  });

  it('are scaled up from a sample, each outcome to its exact number', () => {
    const groups = groupFailures(new Map([[1, 1_000]]), [said(1, 'a'), said(2, 'a'), said(3, 'b')]);
    expect(groups.map(({ message, tasks, estimated }) => [message, tasks, estimated])).toEqual([
      ['a', 667, true],
      ['b', 333, true],
    ]);
  });

  it('without any look are one for each outcome, and exact', () => {
    expect(groupFailures(new Map([[137, 5]]), [])).toEqual([
      { outcome: 137, message: undefined, tasks: 5, estimated: false, positions: [] },
    ]);
  });

  it('are twenty at most for one outcome; the rest is together', () => {
    const many = Array.from({ length: 30 }, (_, at) => said(at, `m${at}`));
    const groups = groupFailures(new Map([[1, 30]]), many);
    expect(groups).toHaveLength(21);
    expect(groups[0]).toMatchObject({ message: undefined, tasks: 10 });
    const withSilent = groupFailures(new Map([[1, 32]]), [...many, said(40, undefined), said(41, undefined)]);
    expect(withSilent).toHaveLength(20);
    expect(withSilent[0]).toMatchObject({ message: undefined, tasks: 13 });
  });
});

it('what is shared out adds up, and nobody is off by a whole one', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (total, weights) => {
      const shares = shareOut(total, weights);
      const sum = weights.reduce((a, b) => a + b, 0);
      expect(shares.reduce((a, b) => a + b, 0)).toBe(total);
      for (const [at, share] of shares.entries()) {
        expect(Math.abs(share - (weights[at]! * total) / sum)).toBeLessThan(1);
      }
    }),
  );
});
