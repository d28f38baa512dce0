import { expect, test } from 'vitest';
import { Outbox, type PendingEnd } from './outbox.ts';

const NOTHING: Omit<PendingEnd, 'fence'> = {
  outcome: 0,
  wallUs: 0,
  cpuUs: 0,
  maxRssKb: 0,
  logSegment: 0,
  logOffset: 0,
  logEndSegment: 0,
  logEndOffset: 0,
  outBytes: 0,
  errBytes: 0,
  cutBytes: 0,
  missingBytes: 0,
  resultSegment: 0,
  resultOffset: 0,
  resultBytes: 0,
};

function outbox(base: number, count: number): Outbox {
  const box = new Outbox();
  box.held.add(base, count);
  return box;
}

const started = (fence: number, startedAtMs = 0) => ({ fence, startedAtMs, logSegment: 0, logOffset: 0 });

test('ends go out as sorted runs and columns, without columns of zeros', () => {
  const box = outbox(1, 5);
  box.ended({ ...NOTHING, fence: 3, wallUs: 30 });
  box.ended({ ...NOTHING, fence: 1, wallUs: 10, outcome: 2 });
  box.ended({ ...NOTHING, fence: 2, wallUs: 20 });
  expect(box.take(1, 7, 0, () => [])).toEqual({
    seq: 1,
    ack: 7,
    ends: { runs: [[1, 3]], outcome: [2, 0, 0], wallUs: [10, 20, 30] },
    held: { count: 2, sum: 9 },
  });
  expect(box.take(2, 7, 0, () => [])).toEqual({ seq: 2, ack: 7, held: { count: 2, sum: 9 } });
});

test('an end says the start as well, unless that was said before', () => {
  const box = outbox(1, 3);
  box.started(started(1));
  box.started(started(2, 5));
  box.ended({ ...NOTHING, fence: 1 });
  const { starts, ends } = box.take(1, 0, 30, () => []);
  expect(starts).toEqual({ fences: [2], agoMs: [25] });
  expect(ends).toEqual({ runs: [[1, 1]] });
  box.ended({ ...NOTHING, fence: 2 });
  expect(box.take(2, 0, 40, () => [])).toEqual({
    seq: 2,
    ack: 0,
    ends: { runs: [[2, 1]] },
    held: { count: 1, sum: 3 },
  });
});

test('what is given back is held no more, and must not wait', () => {
  const box = outbox(1, 10);
  box.returned([
    [4, 2],
    [6, 5],
  ]);
  expect(box.urgent).toBe(true);
  expect(box.take(1, 0, 0, () => [])).toEqual({ seq: 1, ack: 0, returned: [[4, 7]], held: { count: 3, sum: 6 } });
  expect(box.urgent).toBe(false);
});

test('nothing is said of what was dropped, whatever became of it', () => {
  const box = outbox(1, 4);
  box.started(started(1));
  box.ended({ ...NOTHING, fence: 2 });
  box.returned([[3, 1]]);
  box.dropped(1, 3);
  box.ended({ ...NOTHING, fence: 1 });
  expect(box.take(1, 0, 0, () => [])).toEqual({ seq: 1, ack: 0, held: { count: 1, sum: 4 } });
});

test('a resync lists what is held after it, and what of that has started', () => {
  const box = outbox(1, 6);
  box.resync = true;
  box.draining = true;
  box.ended({ ...NOTHING, fence: 2 });
  expect(box.take(1, 0, 0, () => [1, 2, 3])).toMatchObject({
    draining: true,
    heldRuns: [
      [1, 1],
      [3, 4],
    ],
    startedRuns: [
      [1, 1],
      [3, 1],
    ],
  });
  expect(box.take(2, 0, 0, () => [])).not.toHaveProperty('heldRuns');
});

test('progress: the last word of each attempt, at most once a second', () => {
  const box = outbox(1, 3);
  expect(box.progressAtMs).toBeUndefined();
  box.progress({ fence: 1, fraction: 0.1 });
  box.progress({ fence: 1, fraction: 0.2, message: 'on' });
  box.progress({ fence: 2, fraction: 0.5 });
  box.progress({ fence: 9, fraction: 0.5 });
  expect(box.take(1, 0, 500, () => []).progress).toEqual([
    { fence: 1, fraction: 0.2, message: 'on' },
    { fence: 2, fraction: 0.5 },
  ]);
  box.progress({ fence: 1, fraction: 0.3 });
  expect(box.progressAtMs).toBe(1_500);
  expect(box.take(2, 0, 1_499, () => []).progress).toBeUndefined();
  expect(box.take(3, 0, 1_500, () => []).progress).toEqual([{ fence: 1, fraction: 0.3 }]);
  box.progress({ fence: 1, fraction: 0.4 });
  box.progress({ fence: 2, fraction: 0.4 });
  box.ended({ ...NOTHING, fence: 1 });
  box.dropped(2, 1);
  expect(box.take(4, 0, 9_000, () => []).progress).toBeUndefined();
});

test('a plan is said once', () => {
  const box = outbox(1, 1);
  const plan = { fence: 1, hash: 'a'.repeat(64), parts: 3 };
  box.planned(plan);
  expect(box.take(1, 0, 0, () => []).planned).toEqual([plan]);
  expect(box.take(2, 0, 0, () => []).planned).toBeUndefined();
});
