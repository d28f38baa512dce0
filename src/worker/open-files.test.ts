import { expect, test } from 'vitest';
import type { JobForWorker } from '../api/session.ts';
import { openFileLimit, openFilesOf, ownOpenFileLimit } from './open-files.ts';

const limits = (hard: string) => `Limit  Soft Limit  Hard Limit  Units
Max processes             96365                96365                processes
Max open files            1024                 ${hard}                files
`;

test.each([
  ['20000', false, 19_872],
  ['20000', true, 1_048_448],
  ['2000000', true, 1_999_872],
  ['64', false, 2],
  ['unlimited', false, Number.POSITIVE_INFINITY],
])('a hard limit of %s, root: %s', (hard, isRoot, expected) => {
  expect(openFileLimit(limits(hard), isRoot)).toBe(expected);
});

test('without /proc there is no limit that is known', () => {
  expect(openFileLimit('', false)).toBe(Number.POSITIVE_INFINITY);
  expect(ownOpenFileLimit()).toBeGreaterThan(100);
});

test.each([
  [{}, 2],
  [{ outputPath: 'a' }, 3],
  [{ outputPath: 'a', errorPath: 'a' }, 3],
  [{ outputPath: 'a', errorPath: 'b' }, 4],
])('a task with %j has %i', (paths, files) => {
  expect(openFilesOf(paths as JobForWorker)).toBe(files);
});
