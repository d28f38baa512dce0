import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DelayHeap } from './delay-heap.ts';

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ add: fc.nat(50) }) },
  { weight: 2, arbitrary: fc.record({ now: fc.nat(50) }) },
);

describe('DelayHeap', () => {
  it('gives what is due, earliest first, and nothing before its time', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
        const heap = new DelayHeap();
        const waiting = new Map<number, number>();
        for (const [position, each] of steps.entries()) {
          if ('add' in each) {
            heap.add(each.add, position);
            waiting.set(position, each.add);
          } else {
            const earliest = Math.min(...waiting.values());
            const taken = heap.takeDue(each.now);
            if (earliest > each.now) expect(taken).toBeUndefined();
            else expect(waiting.get(taken!)).toBe(earliest);
            if (taken !== undefined) waiting.delete(taken);
          }
          expect(heap.size).toBe(waiting.size);
          expect(heap.earliest).toBe(waiting.size === 0 ? undefined : Math.min(...waiting.values()));
        }
        const rest: number[] = [];
        for (let next = heap.takeDue(50); next !== undefined; next = heap.takeDue(50)) rest.push(waiting.get(next)!);
        expect(rest).toEqual([...waiting.values()].sort((a, b) => a - b));
      }),
    );
  });

  it('holds as many as are added', () => {
    const heap = new DelayHeap();
    for (let position = 0; position < 1_000; position++) heap.add((position * 37) % 1_000, position);
    const taken = Array.from({ length: 1_000 }, () => (heap.takeDue(1_000)! * 37) % 1_000);
    expect(taken).toEqual(Array.from({ length: 1_000 }, (_, due) => due));
  });

  it('takes what is due at this very moment', () => {
    const heap = new DelayHeap();
    heap.add(10, 4_000_000_000);
    expect(heap.takeDue(9)).toBeUndefined();
    expect(heap.takeDue(10)).toBe(4_000_000_000);
    expect(heap.takeDue(10)).toBeUndefined();
  });
});
