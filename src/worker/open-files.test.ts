import { expect, test } from 'vitest';
import type { JobForWorker } from '../api/session.ts';
import { openFileLimit, openFileLimitOf, openFilesOf } from './open-files.ts';

const limits = (soft: string) => `Limit  Soft Limit  Hard Limit  Units
Max processes             96365                96365                processes
Max open files            ${soft}                 1048576                files
`;

test.each([
  ['20000', 19_872],
  ['64', 2],
  ['unlimited', Number.POSITIVE_INFINITY],
])('a limit of %s', (soft, expected) => {
  expect(openFileLimit(limits(soft))).toBe(expected);
});

test('where nothing is said there is none that is known', () => {
  expect(openFileLimit('')).toBe(Number.POSITIVE_INFINITY);
  expect(openFileLimitOf(undefined)).toBe(Number.POSITIVE_INFINITY);
  expect(openFileLimitOf(process.pid)).toBeGreaterThan(100);
});

test.each([
  [{}, 2],
  [{ outputPath: 'a' }, 3],
  [{ outputPath: 'a', errorPath: 'a' }, 3],
  [{ outputPath: 'a', errorPath: 'b' }, 4],
])('a task with %j has %i', (paths, files) => {
  expect(openFilesOf(paths as JobForWorker)).toBe(files);
});
