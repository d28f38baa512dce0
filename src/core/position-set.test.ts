import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PositionSet } from './position-set.ts';

/** Sizes around the words of the tree, and with one to four levels. */
const SIZES = [1, 31, 32, 33, 1000, 1024, 1025, 32_769, 40_000];

type Step = readonly [
  'add' | 'delete' | 'addRange' | 'deleteRange' | 'first' | 'takeRun' | 'clear',
  position: number,
  count: number,
];

function runsOf(members: ReadonlySet<number>): [number, number][] {
  const runs: [number, number][] = [];
  for (const position of [...members].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[1] === position) last[1] += 1;
    else runs.push([position, 1]);
  }
  return runs;
}

/** Does the same to a set and to its model, and compares what they say. */
function step(set: PositionSet, members: Set<number>, [kind, position, count]: Step): void {
  const many = Math.min(count, set.size - position);
  const range = Array.from({ length: many }, (_, k) => position + k);
  switch (kind) {
    case 'add':
      expect(set.add(position)).toBe(!members.has(position));
      members.add(position);
      return;
    case 'delete':
      expect(set.delete(position)).toBe(members.delete(position));
      return;
    case 'addRange':
      expect(set.addRange(position, many)).toBe(range.filter((p) => !members.has(p)).length);
      for (const p of range) members.add(p);
      return;
    case 'deleteRange':
      expect(set.deleteRange(position, many)).toBe(range.filter((p) => members.delete(p)).length);
      return;
    case 'first':
    case 'takeRun': {
      const next = runsOf(members).find(([start, length]) => start + length > position);
      const from = next === undefined ? -1 : Math.max(next[0], position);
      if (kind === 'first') expect(set.first(position)).toBe(from);
      else if (next === undefined) expect(set.takeRun(position, count)).toBeUndefined();
      else expect(set.takeRun(position, count)).toEqual([from, Math.min(count, next[0] + next[1] - from)]);
      return;
    }
    case 'clear':
      set.clear();
      members.clear();
  }
}

describe('PositionSet', () => {
  it.each(SIZES)('is a set of numbers: size %d', (size) => {
    const position = fc.oneof(
      fc.nat(size - 1),
      fc.nat(size - 1).map((p) => p - (p % 32)),
    );
    const kind = fc.oneof(
      { weight: 40, arbitrary: fc.constantFrom<Step[0]>('add', 'delete', 'first', 'takeRun') },
      { weight: 20, arbitrary: fc.constantFrom<Step[0]>('addRange', 'deleteRange') },
      { weight: 1, arbitrary: fc.constant<Step[0]>('clear') },
    );
    const steps = fc.array(fc.tuple(kind, position, fc.oneof(fc.nat(70), fc.nat(size))), { maxLength: 40 });
    fc.assert(
      fc.property(steps, fc.boolean(), (all, full) => {
        const set = new PositionSet(size, { full });
        const members = new Set(full ? Array.from({ length: size }, (_, p) => p) : []);
        for (const one of all) step(set, members, one);
        expect(set.count).toBe(members.size);
        expect([...set.runs()]).toEqual(runsOf(members));
        for (const p of [0, size >> 1, size - 1]) expect(set.has(p)).toBe(members.has(p));
      }),
      { numRuns: size > 2000 ? 40 : 150 },
    );
  });

  it('finds the one member of a million', () => {
    const set = new PositionSet(1_000_000);
    expect(set.first()).toBe(-1);
    for (const member of [0, 31, 32, 1023, 1024, 32_767, 32_768, 999_999]) {
      set.add(member);
      expect([set.first(), set.first(member), set.first(member + 1)]).toEqual([member, member, -1]);
      set.delete(member);
      expect(set.first()).toBe(-1);
    }
  });

  it('is empty or full as asked', () => {
    expect([...new PositionSet(100).runs()]).toEqual([]);
    expect([...new PositionSet(100, { full: true }).runs()]).toEqual([[0, 100]]);
    expect(new PositionSet(100, { full: true }).count).toBe(100);
  });

  it('may have no positions at all', () => {
    const none = new PositionSet(0, { full: true });
    expect([none.count, none.first(), none.takeRun(0, 5), none.runLength(0, 5), none.addRange(0, 0)]).toEqual([
      0,
      -1,
      undefined,
      0,
      0,
    ]);
  });

  it('tells the length of a run, up to a limit and to the end', () => {
    const set = new PositionSet(200);
    set.addRange(10, 150);
    expect(set.runLength(10, 1000)).toBe(150);
    expect(set.runLength(10, 64)).toBe(64);
    expect(set.runLength(70, 1000)).toBe(90);
    expect(set.runLength(9, 1000)).toBe(0);
    expect(set.runLength(10, 0)).toBe(0);
    set.addRange(160, 40);
    expect(set.runLength(10, 1000)).toBe(190);
    expect(set.runLength(200, 5)).toBe(0);
  });

  it('starts again from nothing after clear', () => {
    const set = new PositionSet(5000, { full: true });
    set.clear();
    expect([set.count, set.first()]).toEqual([0, -1]);
    set.add(4999);
    expect(set.first()).toBe(4999);
  });

  it.each([-1, 10, Number.NaN])('has no position %d in 10', (position) => {
    const set = new PositionSet(10);
    expect(() => set.has(position)).toThrow(RangeError);
    expect(() => set.add(position)).toThrow(RangeError);
    expect(() => set.delete(position)).toThrow(RangeError);
    expect(() => set.addRange(position, 1)).toThrow(RangeError);
    expect(() => set.deleteRange(position, 1)).toThrow(RangeError);
  });

  it.each([-1, 1.5, Number.NaN, 2 ** 31 + 1])('cannot have the size %d', (size) => {
    expect(() => new PositionSet(size)).toThrow(RangeError);
  });
});

it('a set that grows keeps its members and takes more', () => {
  const set = new PositionSet(40);
  set.addRange(3, 2);
  set.add(39);
  set.grow(5_000);
  expect([set.size, set.count, [...set.runs()]]).toEqual([
    5_000,
    3,
    [
      [3, 2],
      [39, 1],
    ],
  ]);
  set.addRange(4_000, 1_000);
  set.delete(3);
  expect(set.first(5)).toBe(39);
  expect(set.first(40)).toBe(4_000);
  expect(set.count).toBe(1_002);
  expect(() => set.grow(10)).toThrow('size 10');
});
