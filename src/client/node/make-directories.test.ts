import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeDirectories } from './make-directories.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'spawn-make-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test('all that are missing, with their mode; again does nothing', () => {
  const base = folder();
  for (let time = 0; time < 2; time++) makeDirectories(join(base, 'a', 'b', 'c'), 0o700);
  expect(['a', 'a/b', 'a/b/c'].map((path) => statSync(join(base, path)).mode & 0o777)).toEqual([0o700, 0o700, 0o700]);
});

test('fails where there is something else, or nothing can be made', () => {
  const base = folder();
  writeFileSync(join(base, 'file'), '');
  expect(() => makeDirectories(join(base, 'file'), 0o700)).toThrow('EEXIST');
  expect(() => makeDirectories(join(base, 'file', 'below'), 0o700)).toThrow('ENOTDIR');
  expect(() => makeDirectories('/proc/none/below', 0o700)).toThrow('ENOENT');
});
