import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Eligible } from './eligible.ts';

const SIZE = 70;
const step = fc.record({
  kind: fc.constantFrom('add', 'delete', 'addRange', 'deleteRange', 'move', 'move', 'gate'),
  start: fc.nat(SIZE - 1),
  count: fc.integer({ min: 1, max: SIZE }),
  lane: fc.nat(2),
});

describe('Eligible', () => {
  it('keeps a set for each lane, whatever moves where', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(step, { maxLength: 40, size: 'max' }), (all, steps) => {
        const eligible = new Eligible(SIZE, all);
        eligible.addLane();
        eligible.addLane();
        const model = Array.from({ length: SIZE }, () => ({ lane: 0, member: all }));
        let gate: ReadonlySet<number> | undefined;
        for (const { kind, start, lane, ...each } of steps) {
          const count = Math.min(each.count, SIZE - start);
          const named =
            kind === 'add' || kind === 'delete' ? [start] : Array.from({ length: count }, (_, i) => start + i);
          if (kind === 'add') eligible.add(start);
          if (kind === 'delete') eligible.delete(start);
          if (kind === 'addRange') eligible.addRange(start, count);
          if (kind === 'deleteRange') eligible.deleteRange(start, count);
          if (kind === 'move') eligible.move(start, count, lane);
          if (kind === 'gate') {
            gate = lane === 0 ? undefined : new Set(named);
            eligible.setGate(gate === undefined ? undefined : Uint32Array.from(gate));
          }
          for (const position of named) {
            if (kind.startsWith('add') && (gate === undefined || gate.has(position))) model[position]!.member = true;
            if (kind.startsWith('delete')) model[position]!.member = false;
            if (kind === 'move') model[position]!.lane = lane;
          }
          expectSame(eligible, model);
          const members = model.flatMap(({ member }, at) => (member ? [at] : []));
          expect([...eligible.positions()]).toEqual(members);
          expect([0, SIZE - 1].map((at) => eligible.isShutOut(at))).toEqual(
            [0, SIZE - 1].map((at) => gate?.has(at) === false),
          );
        }
      }),
    );
  });

  it('refuses a lane that was not added', () => {
    expect(() => new Eligible(3, true).move(0, 1, 1)).toThrow('lane 1 of 1');
  });
});

function expectSame(eligible: Eligible, model: readonly { lane: number; member: boolean }[]): void {
  for (const [position, { lane, member }] of model.entries()) {
    expect([eligible.laneOf(position), eligible.has(position)]).toEqual([lane, member]);
    for (const [number, set] of eligible.sets.entries()) {
      if (set.has(position) !== (member && number === lane))
        expect.fail(`task ${position} in the set of lane ${number}`);
    }
  }
  expect(eligible.count).toBe(model.filter(({ member }) => member).length);
  expect(eligible.laneCounts).toEqual([0, 1, 2].map((lane) => model.filter((each) => each.lane === lane).length));
}

describe('more tasks', () => {
  it('come to lane 0, and the sets stay the same objects', () => {
    const eligible = new Eligible(4, true);
    const [first] = eligible.sets;
    eligible.grow(6);
    expect([eligible.size, eligible.count, eligible.laneCounts]).toEqual([6, 4, [6]]);
    eligible.addRange(4, 2);
    expect(first.count).toBe(6);
    eligible.addLane();
    eligible.move(0, 2, 1);
    eligible.grow(7);
    expect([...eligible.runs(0, 7)]).toEqual([
      [0, 2, 1],
      [2, 5, 0],
    ]);
    expect(eligible.laneCounts).toEqual([5, 2]);
  });

  it('stay out as long as there is a gate', () => {
    const eligible = new Eligible(2, false);
    eligible.setGate(Uint32Array.of(0));
    eligible.grow(3);
    eligible.addRange(0, 3);
    expect([eligible.has(0), eligible.has(2)]).toEqual([true, false]);
  });
});
