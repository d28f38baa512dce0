import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Fit, type Grant, GrantQueue } from './queue.ts';

const fits = () => 'fits' as const;

function takeAll(queue: GrantQueue, fitOf: (jobId: number) => Fit = fits): Grant[] {
  const taken: Grant[] = [];
  for (let grant = queue.take(fitOf, 0); grant !== undefined; grant = queue.take(fitOf, 0)) taken.push(grant);
  return taken;
}

test('gives tasks in order of arrival, with their positions and attempts', () => {
  const queue = new GrantQueue();
  queue.add(1, 0, { fence: 10, position: 5, count: 2, attempt: 1 });
  queue.add(2, 0, { fence: 12, position: 0, count: 2, attempt: [3, 4] });
  queue.add(1, 0, { fence: 14, position: 9, count: 1, attempt: 2 });
  expect(takeAll(queue)).toEqual([
    { jobId: 1, lane: 0, fence: 10, position: 5, attempt: 1 },
    { jobId: 1, lane: 0, fence: 11, position: 6, attempt: 1 },
    { jobId: 2, lane: 0, fence: 12, position: 0, attempt: 3 },
    { jobId: 2, lane: 0, fence: 13, position: 1, attempt: 4 },
    { jobId: 1, lane: 0, fence: 14, position: 9, attempt: 2 },
  ]);
  expect(queue.count).toBe(0);
});

test('a run that was cut keeps what belongs to the rest', () => {
  const queue = new GrantQueue();
  queue.add(1, 0, { fence: 10, position: 0, count: 6, attempt: [1, 2, 3, 4, 5, 6] });
  queue.take(fits, 0);
  expect(queue.remove(12, 2)).toEqual([[12, 2]]);
  expect(queue.remove(1, 5)).toEqual([]);
  expect(takeAll(queue).map(({ fence, position, attempt }) => [fence, position, attempt])).toEqual([
    [11, 1, 2],
    [14, 4, 5],
    [15, 5, 6],
  ]);
});

test('is the same as a list of tasks, whatever is added, taken and removed', () => {
  const step = fc.oneof(
    fc.record({ add: fc.integer({ min: 1, max: 3 }), count: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ take: fc.subarray([1, 2, 3]) }),
    fc.record({ remove: fc.integer({ min: 1, max: 80 }), count: fc.integer({ min: 1, max: 30 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new GrantQueue();
      let model: Grant[] = [];
      let nextFence = 1;
      for (const one of steps) {
        if ('add' in one) {
          const run = { fence: nextFence, position: nextFence * 2, count: one.count };
          const attempts = Array.from({ length: one.count }, (_, i) => i + 1);
          queue.add(one.add, 0, { ...run, attempt: attempts });
          for (let i = 0; i < one.count; i++) {
            model.push({ jobId: one.add, lane: 0, fence: run.fence + i, position: run.position + i, attempt: i + 1 });
          }
          nextFence += one.count;
        } else if ('take' in one) {
          const expected = model.find(({ jobId }) => one.take.includes(jobId));
          model = model.filter((grant) => grant !== expected);
          expect(queue.take((jobId) => (one.take.includes(jobId) ? 'fits' : 'unprepared'), 0)).toEqual(expected);
        } else {
          const inside = ({ fence }: Grant) => fence >= one.remove && fence < one.remove + one.count;
          const fences = queue
            .remove(one.remove, one.count)
            .flatMap(([base, n]) => Array.from({ length: n }, (_, i) => base + i));
          expect(fences.toSorted((a, b) => a - b)).toEqual(model.filter(inside).map(({ fence }) => fence));
          model = model.filter((grant) => !inside(grant));
        }
        expect(queue.count).toBe(model.length);
      }
      const rest = queue.clear().reduce((sum, [, n]) => sum + n, 0);
      expect(rest).toBe(model.length);
      expect(takeAll(queue)).toEqual([]);
    }),
  );
});

describe('a task that does not fit', () => {
  const wideIsBusy = (jobId: number): Fit => (jobId === 1 ? 'busy' : 'fits');
  const filled = () => {
    const queue = new GrantQueue();
    queue.add(2, 0, { fence: 1, position: 0, count: 1, attempt: 1 });
    queue.add(1, 0, { fence: 2, position: 0, count: 1, attempt: 1 });
    queue.add(2, 0, { fence: 3, position: 1, count: 5, attempt: 1 });
    return queue;
  };

  test('is passed for 10 seconds, not longer', () => {
    const queue = filled();
    expect(queue.take(wideIsBusy, 1_000)?.fence).toBe(1);
    expect(queue.take(wideIsBusy, 2_000)?.fence).toBe(3);
    expect(queue.take(wideIsBusy, 11_999)?.fence).toBe(4);
    expect(queue.take(wideIsBusy, 12_000)).toBeUndefined();
    expect(queue.take(fits, 12_001)?.fence).toBe(2);
    expect(queue.take(wideIsBusy, 12_002)?.fence).toBe(5);
  });

  test('does not hold up what came before it', () => {
    const queue = filled();
    queue.take(wideIsBusy, 0);
    queue.add(3, 0, { fence: 20, position: 0, count: 1, attempt: 1 });
    const threeIsBusy = (jobId: number): Fit => (jobId === 3 ? 'busy' : 'fits');
    queue.take(wideIsBusy, 0);
    expect(queue.take(threeIsBusy, 60_000)?.fence).toBe(2);
    expect(queue.take(threeIsBusy, 60_000)?.fence).toBe(4);
  });

  test('because its files are not here is passed for as long as it takes', () => {
    const queue = filled();
    const fitOf = (jobId: number): Fit => (jobId === 1 ? 'unprepared' : 'fits');
    expect([0, 60_000, 120_000].map((now) => queue.take(fitOf, now)?.fence)).toEqual([1, 3, 4]);
  });
});
