import fc from 'fast-check';
import { expect, it } from 'vitest';
import { changedCells, countCells } from './grid-cells.ts';
import { TASK_STATES } from './task-state.ts';

const STATES = TASK_STATES.length;
const states = fc.uint8Array({ min: 0, max: STATES - 1, minLength: 1, maxLength: 300 });

it('every task is in the cell of its position', () => {
  fc.assert(
    fc.property(states, fc.integer({ min: 1, max: 40 }), (state, wanted) => {
      const cells = Math.min(wanted, state.length);
      const counts = countCells(state, cells);
      const expected = new Uint32Array(cells * STATES);
      for (const [position, found] of state.entries()) {
        let cell = cells - 1;
        while (Math.floor((cell * state.length) / cells) > position) cell--;
        expected[cell * STATES + found]!++;
      }
      expect(counts).toEqual(expected);
    }),
  );
});

it('replaying what changed gives what there is', () => {
  const change = fc.tuple(fc.nat(10_000), fc.nat(STATES - 1));
  fc.assert(
    fc.property(states, fc.array(fc.array(change, { maxLength: 5 }), { maxLength: 10 }), (first, steps) => {
      const state = first.slice();
      const cells = Math.min(16, state.length);
      const replayed = new Map<number, number[]>();
      let before: Uint32Array | undefined;
      for (const step of [[], ...steps]) {
        for (const [at, to] of step) state[at % state.length] = to;
        const now = countCells(state, cells);
        const changed = changedCells(before, now);
        expect(changed.length).toBeLessThanOrEqual(before === undefined ? cells : step.length);
        for (const [cell, counts] of changed) replayed.set(cell, counts);
        before = now;
      }
      expect([...replayed].toSorted(([a], [b]) => a - b).flatMap(([, counts]) => counts)).toEqual([
        ...countCells(state, cells),
      ]);
    }),
  );
});
