import { expect, test } from 'vitest';
import { Suspensions } from './suspensions.ts';

test('an attempt stands still again and again, and all of it is counted', () => {
  const all = new Suspensions();
  expect([all.suspend(7, 100), all.suspend(7, 150), all.suspend(9, 160), all.count]).toEqual([true, false, true, 2]);
  expect([all.isSuspended(7), all.of(7)]).toEqual([true, { since: 100, stoodMs: 0 }]);
  expect([all.resume(7, 300), all.resume(7, 400), all.resume(8, 400), all.count]).toEqual([true, false, false, 1]);
  expect([all.isSuspended(7), all.of(7)]).toEqual([false, { since: 0, stoodMs: 200 }]);
  expect([all.suspend(7, 500), all.of(7)]).toEqual([true, { since: 500, stoodMs: 200 }]);
  expect([all.end(7, 600), all.end(7, 700), all.of(7), all.count]).toEqual([300, 0, undefined, 1]);
  expect([all.end(9, 100), all.end(9, 100), all.count]).toEqual([0, 0, 0]);
});

test('is the same after a restart', () => {
  const all = new Suspensions();
  all.suspend(3, 100);
  all.suspend(4, 100);
  all.resume(4, 150);
  const again = new Suspensions();
  again.unpack(all.pack());
  expect([again.count, again.of(3), again.of(4)]).toEqual([1, { since: 100, stoodMs: 0 }, { since: 0, stoodMs: 50 }]);
  again.unpack([]);
  expect([again.end(4, 200), again.end(3, 200), again.pack()]).toEqual([50, 100, []]);
});
