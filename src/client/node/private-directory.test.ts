import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makePrivateDirectory } from './private-directory.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-private-'));
  path = join(folder, 'a/b');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const refused = (found: unknown) =>
  expect.objectContaining({ code: 'SOCKET_NOT_PRIVATE', details: expect.objectContaining({ path, found }) });

test('a missing one is made for its user alone, and accepted again', () => {
  makePrivateDirectory(path);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  makePrivateDirectory(path);
});

test.each([0o750, 0o701, 0o770, 0o1777])('mode %o lets others in', (mode) => {
  mkdirSync(path, { recursive: true });
  chmodSync(path, mode);
  expect(() => makePrivateDirectory(path)).toThrow(refused(`mode ${mode.toString(8).padStart(4, '0')}`));
});

test('a link is refused, also to a private directory', () => {
  mkdirSync(join(folder, 'a'));
  mkdirSync(join(folder, 'real'), { mode: 0o700 });
  symlinkSync(join(folder, 'real'), path);
  expect(() => makePrivateDirectory(path)).toThrow(refused('a symbolic link'));
});

test('a file is refused', () => {
  mkdirSync(join(folder, 'a'));
  writeFileSync(path, '');
  expect(() => makePrivateDirectory(path)).toThrow(refused('something that is not a directory'));
});

test('one that cannot be made is refused with the reason', () => {
  writeFileSync(join(folder, 'a'), '');
  expect(() => makePrivateDirectory(path)).toThrow(refused(expect.stringContaining('ENOTDIR')));
});

test.skipIf(process.getuid?.() !== 0)('one of somebody else is refused', () => {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chownSync(path, 12345, 12345);
  expect(() => makePrivateDirectory(path)).toThrow(refused('one of the user with id 12345'));
});
