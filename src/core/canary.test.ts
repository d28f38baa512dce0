import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Canary, chooseCanary } from './canary.ts';
import { TaskState } from './task-state.ts';

const SEED = fc.stringMatching(/^[0-9a-f]{6}$/);

describe('chooseCanary', () => {
  it('takes one task out of each stretch, the same for the same seed', () => {
    const some = fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 200 }), SEED);
    fc.assert(
      fc.property(some, ([size, wanted, seed]) => {
        const chosen = [...chooseCanary(size, wanted, seed)];
        expect(chosen).toEqual([...chooseCanary(size, wanted, seed)]);
        const count = Math.min(size, wanted);
        expect(chosen.length).toBe(count);
        for (const [at, position] of chosen.entries()) {
          expect(position).toBeGreaterThanOrEqual(Math.floor((at * size) / count));
          expect(position).toBeLessThan(Math.floor(((at + 1) * size) / count));
        }
      }),
    );
  });

  it('takes all when no more are there than wanted', () => {
    expect([...chooseCanary(3, 3, 'abcdef')]).toEqual([0, 1, 2]);
    expect([...chooseCanary(3, 10_000, '012345')]).toEqual([0, 1, 2]);
  });

  it('takes any of a stretch, for one seed or another', () => {
    const seen = new Set<number>();
    for (let seed = 0; seed < 1_000; seed++) seen.add(chooseCanary(20, 2, seed.toString(16).padStart(6, '0'))[1]!);
    expect([...seen].sort((a, b) => a - b)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });
});

describe('Canary', () => {
  it('has ended when every one has, in whatever order, and not while one that was retried has not', () => {
    const orders = fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 });
    const ends = fc.array(
      fc.constantFrom(TaskState.completed, TaskState.failed, TaskState.cancelled, TaskState.skipped),
      {
        minLength: 5,
        maxLength: 5,
      },
    );
    fc.assert(
      fc.property(orders, ends, fc.nat(4), (order, states, again) => {
        const canary = new Canary(Uint32Array.of(1, 4, 6, 8, 9));
        const table = new Uint8Array(10).fill(TaskState.ready);
        for (const at of order) {
          expect(canary.hasEnded(table)).toBe(false);
          table[canary.positions[at]!] = states[at]!;
        }
        expect(canary.hasEnded(table)).toBe(true);
        expect(canary.notCompleted(table)).toBe(states.filter((state) => state !== TaskState.completed).length);
        table[canary.positions[again]!] = TaskState.running;
        expect(canary.hasEnded(table)).toBe(false);
      }),
    );
  });
});
