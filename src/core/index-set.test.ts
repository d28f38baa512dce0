import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IndexSet, type IndexSetOptions, MAX_INDEX, parseIndexSet, type Run } from './index-set.ts';

function indicesOf(set: IndexSet): number[] {
  return Array.from({ length: set.size }, (_, position) => set.at(position));
}

function wire(text: string): IndexSet {
  return parseIndexSet(text, { dialect: 'wire' }).set;
}

/** Ranges close together, so that they overlap and interleave in every way. */
const RANGE: fc.Arbitrary<Run> = fc.record({
  start: fc.nat(60),
  step: fc.integer({ min: 1, max: 7 }),
  count: fc.integer({ min: 1, max: 12 }),
});
const RANGES = fc.array(RANGE, { maxLength: 8 });

function model(ranges: readonly Run[]): number[] {
  const all = ranges.flatMap(({ start, step, count }) => Array.from({ length: count }, (_, k) => start + k * step));
  return [...new Set(all)].sort((a, b) => a - b);
}

function textOf({ start, step, count }: Run): string {
  return `${start}-${start + (count - 1) * step}:${step}`;
}

describe('parseIndexSet', () => {
  // Source: probes of Slurm 22.05, sbatch --array.
  it.each<[string, string, number[], throttle?: number]>([
    ['1,1,2', '1-2', [1, 2]],
    ['3,1,2', '1-3', [1, 2, 3]],
    ['1-5,3-8', '1-8', [1, 2, 3, 4, 5, 6, 7, 8]],
    ['1-10:3,20-30:5', '1-10:3,20-30:5', [1, 4, 7, 10, 20, 25, 30]],
    ['1-10:2%2', '1-9:2', [1, 3, 5, 7, 9], 2],
    ['0-3%100', '0-3', [0, 1, 2, 3], 100],
    ['007-010', '7-10', [7, 8, 9, 10]],
    ['1-3,', '1-3', [1, 2, 3]],
    ['[1-3]', '1-3', [1, 2, 3]],
    ['[1-3%2]', '1-3', [1, 2, 3], 2],
    ['[1-3]%2', '1-3', [1, 2, 3], 2],
    ['[1-3,]', '1-3', [1, 2, 3]],
    ['1-3,%2', '1-3', [1, 2, 3], 2],
    ['1-3%0', '1-3', [1, 2, 3]],
    ['1-3%', '1-3', [1, 2, 3]],
    ['2,4-18:2', '2,4-18:2', [2, 4, 6, 8, 10, 12, 14, 16, 18]],
    ['0-99:50,101', '0,50,101', [0, 50, 101]],
    ['1-9:2,2-10:4', '1-3,5-7,9-10', [1, 2, 3, 5, 6, 7, 9, 10]],
    ['5', '5', [5]],
    ['0', '0', [0]],
    ['4294967294', '4294967294', [4_294_967_294]],
  ])('slurm %s', (text, canonical, indices, throttle) => {
    const parsed = parseIndexSet(text, { dialect: 'slurm' });
    expect(parsed.set.toString()).toBe(canonical);
    expect(indicesOf(parsed.set)).toEqual(indices);
    expect(parsed).toEqual(throttle === undefined ? { set: parsed.set } : { set: parsed.set, throttle });
  });

  it.each<[string, string, throttle?: number]>([
    ['100', '0-99'],
    ['1', '0'],
    ['100%5', '0-99', 5],
    ['100%0', '0-99'],
    ['5,', '5'],
    ['[5]', '5'],
    ['5-5', '5'],
    ['1,3', '1,3'],
    ['1-3%2', '1-3', 2],
  ])('native %s', (text, canonical, throttle) => {
    const parsed = parseIndexSet(text);
    expect(parsed.set.toString()).toBe(canonical);
    expect(parsed.throttle).toBe(throttle);
  });

  const AN_INDEX = 'an index (0 to 4294967294)';
  const K = 'how many tasks may run at once, as %50';
  it.each<[IndexSetOptions['dialect'], string, at: number, expected: string, found: string]>([
    ['slurm', '5-1', 2, 'an end of at least 5', '"1"'],
    ['slurm', '50-10', 3, 'an end of at least 50', '"10"'],
    ['slurm', '1-3:0', 4, 'a step of at least 1', '"0"'],
    ['slurm', '1-3:-1', 4, 'a step of at least 1', '"-"'],
    ['slurm', '1-3:', 4, 'a step of at least 1', 'the end'],
    ['slurm', 'abc', 0, AN_INDEX, '"abc"'],
    ['slurm', '-1', 0, AN_INDEX, '"-"'],
    ['slurm', '1 -3', 1, '",", "%" or the end', '" "'],
    ['slurm', ' 1', 0, AN_INDEX, '" "'],
    ['slurm', '1-3:2:2', 5, '",", "%" or the end', '":"'],
    ['slurm', '', 0, AN_INDEX, 'the end'],
    ['slurm', ',1', 0, AN_INDEX, '","'],
    ['slurm', '1,,2', 2, AN_INDEX, '","'],
    ['slurm', '1-', 2, AN_INDEX, 'the end'],
    ['slurm', '1-x', 2, AN_INDEX, '"x"'],
    ['slurm', '4294967295', 0, AN_INDEX, '"4294967295"'],
    ['slurm', '1-99999999999', 2, AN_INDEX, '"99999999999"'],
    ['slurm', '[1-3', 4, '"," or "]"', 'the end'],
    ['slurm', '[1-3%2', 6, '"]"', 'the end'],
    ['slurm', '[]', 1, AN_INDEX, '"]"'],
    ['slurm', '1-3]', 3, '",", "%" or the end', '"]"'],
    ['slurm', '[1-3]4', 5, 'the end', '"4"'],
    ['slurm', '1-3%1%2', 5, 'the end', '"%"'],
    ['slurm', '[1-3%1]%2', 7, 'the end', '"%"'],
    ['slurm', '1-3%x', 4, 'the end', '"x"'],
    ['native', '0', 0, 'a size of at least 1: an array needs at least one index', '"0"'],
    ['native', '99999999999', 0, 'a size (1 to 4294967294)', '"99999999999"'],
    ['native', '10%', 3, K, 'the end'],
    ['native', '1-3%', 4, K, 'the end'],
    ['native', '1-3%x', 4, K, '"x"'],
    ['native', '10%2x', 4, 'the end', '"x"'],
    ['native', '10x', 2, '",", "%" or the end', '"x"'],
    ['native', 'ten', 0, AN_INDEX, '"ten"'],
    ['wire', '1-3%2', 3, '"," or the end', '"%"'],
    ['wire', '[1-3%2]', 4, '"," or "]"', '"%"'],
  ])('%s %j is refused', (dialect, text, at, expected, found) => {
    const message = `index set, column ${at + 1}: expected ${expected}, found ${found}\n  ${text}\n  ${' '.repeat(at)}^`;
    expect(() => parseIndexSet(text, { dialect: dialect! })).toThrow(
      expect.objectContaining({ code: 'BAD_INDEX_SET', message, details: { text, at, expected } }),
    );
  });

  it.each<[string, IndexSetOptions, size: number, max: number]>([
    ['1000001', {}, 1_000_001, 1_000_000],
    ['0-4294967294', {}, 4_294_967_295, 1_000_000],
    ['1-11', { maxSize: 10 }, 11, 10],
    ['1-6,11-16', { maxSize: 10 }, 12, 10],
  ])('%s with %j is too large', (text, options, size, max) => {
    expect(() => parseIndexSet(text, options)).toThrow(
      expect.objectContaining({ code: 'ARRAY_TOO_LARGE', details: { size, max } }),
    );
  });

  it('counts a set, not what is written', () => {
    expect(parseIndexSet('1-10,1-10,5', { maxSize: 10 }).set.size).toBe(10);
  });

  it('reads every list of ranges as the set it names', () => {
    fc.assert(
      fc.property(fc.array(RANGE, { minLength: 1, maxLength: 8 }), (ranges) => {
        expect(indicesOf(wire(ranges.map(textOf).join(',')))).toEqual(model(ranges));
      }),
    );
  });

  it('reads a million single indices in any order', () => {
    const apart = Array.from({ length: 1_000_000 }, (_, k) => ((k * 7919) % 1_000_000) * 3 + (k % 2));
    const set = wire(apart.join(','));
    expect(set.size).toBe(1_000_000);
    expect([set.min, set.max, set.positionOf(apart[0]!), set.at(999_999)]).toEqual([0, 2_999_998, 0, 2_999_998]);
  });
});

describe('IndexSet', () => {
  it('is the same whatever it was built from, and the runs do not interleave', () => {
    fc.assert(
      fc.property(RANGES, (ranges) => {
        const set = IndexSet.fromRuns(ranges);
        const singles = IndexSet.fromRuns(model(ranges).map((start) => ({ start, step: 1, count: 1 })));
        expect([...set.ranges()]).toEqual([...singles.ranges()]);
        expect(set.equals(singles)).toBe(true);
        expect(set.toString()).toBe(singles.toString());
        const ends = [...set.ranges()].flatMap((run) => [run.start, run.start + (run.count - 1) * run.step]);
        expect(ends).toEqual(ends.toSorted((a, b) => a - b));
      }),
      { numRuns: 500 },
    );
  });

  it('answers as a set of numbers does', () => {
    fc.assert(
      fc.property(RANGES, (ranges) => {
        const set = IndexSet.fromRuns(ranges);
        const expected = model(ranges);
        expect(indicesOf(set)).toEqual(expected);
        expect(set.min).toBe(expected[0] ?? Number.NaN);
        expect(set.max).toBe(expected.at(-1) ?? Number.NaN);
        for (let index = -1; index < 150; index += 1) {
          expect(set.positionOf(index)).toBe(expected.indexOf(index));
          expect(set.has(index)).toBe(expected.includes(index));
        }
      }),
    );
  });

  it('is read back from its text', () => {
    fc.assert(
      fc.property(fc.array(RANGE, { minLength: 1, maxLength: 8 }), (ranges) => {
        for (const set of [IndexSet.fromRuns(ranges), wire(ranges.map(textOf).join(','))]) {
          const again = IndexSet.fromString(set.toString());
          expect(again.equals(set)).toBe(true);
          expect(again.step()).toBe(set.step());
          expect(again.toString()).toBe(set.toString());
        }
      }),
    );
  });

  it('tells equal from other sets', () => {
    expect(wire('1-3').equals(wire('1,2,3'))).toBe(true);
    for (const other of ['1-4', '2-4', '1-5:2', '1-3,9']) expect(wire('1-3').equals(wire(other))).toBe(false);
  });

  // Source: probes of Slurm 22.05, SLURM_ARRAY_TASK_STEP, which follows the text.
  it.each([
    ['1-10:3', 3, '1-10:3'],
    ['1-10', 1, '1-10'],
    ['5,1,9', 1, '1,5-9:4'],
    ['1,4,7,10', 1, '1,4-10:3'],
    ['1-5:2,8', 1, '1-5:2,8'],
    ['0-9999:5000', 5000, '0-5000:5000'],
    ['0-4999:5000', 5000, '0-0:5000'],
    ['1,3', 1, '1,3'],
    ['5', 1, '5'],
  ])('step() of %s is %d, and its text %s', (text, step, canonical) => {
    expect(wire(text).step()).toBe(step);
    expect(wire(text).toString()).toBe(canonical);
    expect(wire(canonical).step()).toBe(step);
  });

  it('ofSize', () => {
    expect(IndexSet.ofSize(1_000_000).toString()).toBe('0-999999');
    expect(IndexSet.ofSize(1).toString()).toBe('0');
    const empty = IndexSet.ofSize(0);
    expect([empty.size, empty.toString(), empty.has(0), [...empty.ranges()]]).toEqual([0, '', false, []]);
  });

  it('holds every index there may be', () => {
    const all = IndexSet.fromString(`0-${MAX_INDEX}`);
    expect(all.size).toBe(MAX_INDEX + 1);
    expect(all.at(MAX_INDEX)).toBe(MAX_INDEX);
    expect(all.positionOf(MAX_INDEX)).toBe(MAX_INDEX);
    expect(all.has(MAX_INDEX + 1)).toBe(false);
  });

  it.each([-1, 3, Number.NaN])('has nothing at position %d of 3', (position) => {
    expect(() => wire('5-7').at(position)).toThrow(RangeError);
  });

  it('refuses to merge more than it can in a moment', () => {
    const group = (start: number): Run[] => [2, 3].map((step) => ({ start, step, count: 1_100_000 }));
    expect(() => IndexSet.fromRuns([...group(0), ...group(10_000_000)])).toThrow(
      expect.objectContaining({ code: 'ARRAY_TOO_LARGE', details: { size: 4_400_000, max: 4_000_000 } }),
    );
  });

  it('merges what repeats or continues without looking at the indices', () => {
    const shifted = (step: number): Run[] =>
      Array.from({ length: 10 }, (_, k) => ({ start: k * step, step, count: 1_000_000 }));
    expect(IndexSet.fromRuns(shifted(1)).toString()).toBe('0-1000008');
    // The index that does not fit in makes the merge look at every index: at each one once.
    const set = IndexSet.fromRuns([...shifted(2), { start: 1, step: 1, count: 1 }]);
    expect(set.toString()).toBe('0-2,4-2000016:2');
  });

  it('intersects', () => {
    fc.assert(
      fc.property(RANGES, RANGES, (a, b) => {
        const shared = IndexSet.fromRuns(a).intersect(IndexSet.fromRuns(b));
        const theirs = new Set(model(b));
        expect(indicesOf(shared)).toEqual(model(a).filter((index) => theirs.has(index)));
      }),
      { numRuns: 500 },
    );
  });

  it('intersects long ranges without looking at their indices', () => {
    const intersect = (a: string, b: string): string =>
      IndexSet.fromString(a).intersect(IndexSet.fromString(b)).toString();
    expect(intersect('0-4294967294:3', '0-4294967294:7')).toBe('0-4294967292:21');
    expect(intersect('1-4294967293:4', '3-4294967291:4')).toBe('');
    expect(intersect('0-4294836225:65537', '5-4294836221:65536')).toBe('327685');
    expect(intersect('0-4294967294', '7,4294967294')).toBe('7,4294967294');
  });

  it('finds the positions of other sets, and the indices of positions', () => {
    fc.assert(
      fc.property(RANGES, RANGES, (a, b) => {
        const set = IndexSet.fromRuns(a);
        const other = IndexSet.fromRuns(b);
        const runs = [...set.positionsOf(other)];
        const positions = runs.flatMap(([start, count]) => Array.from({ length: count }, (_, k) => start + k));
        const theirs = new Set(model(b));
        expect(positions).toEqual(model(a).flatMap((index, position) => (theirs.has(index) ? [position] : [])));
        expect(runs.every(([, count]) => count > 0)).toBe(true);
        for (let r = 1; r < runs.length; r += 1) expect(runs[r]![0]).toBeGreaterThan(runs[r - 1]![0] + runs[r - 1]![1]);
        expect(set.select(runs).equals(set.intersect(other))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('finds all positions of a long stepped range as one run', () => {
    const odd = IndexSet.fromString('1-4294967293:2');
    expect([...odd.positionsOf(IndexSet.fromString('0-4294967294'))]).toEqual([[0, 2_147_483_647]]);
    expect(odd.select([[10, 3]]).toString()).toBe('21-25:2');
  });
});
