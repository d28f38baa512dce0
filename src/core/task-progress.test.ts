import { expect, test } from 'vitest';
import { TaskProgress } from './task-progress.ts';

test('the last word of each attempt counts until it is over', () => {
  const progress = new TaskProgress();
  progress.over(0, 10);
  expect(progress.mean(2, 8)).toBe(0.25);
  progress.set(3, { fraction: 0.1 });
  progress.set(3, { fraction: 0.5, message: 'half' });
  progress.set(4, { fraction: 0.5 });
  expect([progress.of(3), progress.of(5)]).toEqual([{ fraction: 0.5, message: 'half' }, undefined]);
  expect(progress.mean(1, 4)).toBe(0.5);
  progress.over(4, 2);
  expect(progress.mean(1, 4)).toBe(0.375);
  // An attempt may say more than there was to do.
  progress.set(4, { fraction: 1 });
  expect(progress.mean(4, 4)).toBe(1);
});
