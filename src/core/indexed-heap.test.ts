import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IndexedHeap } from './indexed-heap.ts';

interface Item {
  key: number;
  heapAt: number;
}

const step = fc.tuple(fc.constantFrom('add', 'add', 'add', 'remove', 'mend', 'take'), fc.nat(), fc.nat(20));

describe('IndexedHeap', () => {
  it('always has the smallest first, whatever is added, removed or changed', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const heap = new IndexedHeap<Item>((a, b) => a.key < b.key);
        const items: Item[] = [];
        const drop = (item: Item) => {
          heap.remove(item);
          items.splice(items.indexOf(item), 1);
          expect(item.heapAt).toBe(-1);
        };
        for (const [kind, place, key] of steps) {
          const some = items[place % Math.max(1, items.length)];
          if (kind === 'add') {
            const item = { key, heapAt: -1 };
            items.push(item);
            heap.add(item);
          } else if (kind === 'mend' && some !== undefined) {
            some.key = key;
            heap.mend(some);
          } else if (kind === 'remove' && some !== undefined) {
            drop(some);
          } else if (kind === 'take' && some !== undefined) {
            drop(heap.peek()!);
          }
          expect(heap.size).toBe(items.length);
          expect(heap.peek()?.key).toBe(items.length === 0 ? undefined : Math.min(...items.map((item) => item.key)));
          expect(items.map(({ heapAt }) => heapAt).sort((a, b) => a - b)).toEqual(items.map((_, at) => at));
        }
        const sorted = items.map((item) => item.key).sort((a, b) => a - b);
        const taken: number[] = [];
        for (let first = heap.peek(); first !== undefined; first = heap.peek()) {
          taken.push(first.key);
          heap.remove(first);
        }
        expect(taken).toEqual(sorted);
      }),
    );
  });
});
