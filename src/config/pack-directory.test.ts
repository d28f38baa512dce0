import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type PackOptions, packDirectory } from './pack-directory.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-pack-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function pack(directory: string, options: Partial<PackOptions> = {}): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of packDirectory(directory, { where: '--stage', ...options })) pieces.push(piece);
  return pieces;
}

function list(pieces: readonly Uint8Array[]): string[] {
  return execFileSync('tar', ['-tz'], { input: Buffer.concat(pieces), encoding: 'utf8' })
    .trim()
    .split('\n');
}

/** The same files, made in the given order. */
function fill(name: string, files: readonly string[]): string {
  const directory = join(folder, name);
  mkdirSync(join(directory, 'sub/.git'), { recursive: true });
  mkdirSync(join(directory, '.git'));
  for (const file of files) {
    writeFileSync(join(directory, file), file);
    utimesSync(join(directory, file), 1_000, 1_000);
  }
  chmodSync(directory, 0o755);
  for (const each of ['sub', '.']) utimesSync(join(directory, each), 1_000, 1_000);
  return directory;
}

test('the same files give the same bytes, in whatever order they were made; .git stays behind', async () => {
  const files = ['a', 'sub/b', 'z', '.git/config', 'sub/.git/config'];
  const one = await pack(fill('one', files));
  const other = await pack(fill('other', files.toReversed()));
  expect(Buffer.concat(other).equals(Buffer.concat(one))).toBe(true);
  expect(list(one)).toEqual(['./', './a', './sub/', './sub/b', './z']);
});

test('what .spawnignore names stays behind', async () => {
  const directory = fill('some', ['a', 'sub/b.tmp', 'c.tmp', 'data']);
  writeFileSync(join(directory, '.spawnignore'), '*.tmp\n./data\n');
  expect(list(await pack(directory))).toEqual(['./', './.spawnignore', './a', './sub/']);
});

test('is cut into pieces of one size', async () => {
  const directory = fill('large', ['a']);
  const noise = Buffer.alloc(5_000, 0).map((_, at) => ((at * 7919) % 251) ^ ((at >> 3) % 256));
  writeFileSync(join(directory, 'noise'), noise);
  const pieces = await pack(directory, { pieceBytes: 100 });
  expect(pieces.length).toBeGreaterThan(3);
  expect(new Set(pieces.slice(0, -1).map(({ length }) => length))).toEqual(new Set([100]));
  expect(list(pieces)).toContain('./noise');
});

test('what cannot be packed is refused, with the reason', async () => {
  await expect(pack(fill('big', ['a']), { mostBytes: 20 })).rejects.toMatchObject({
    code: 'BAD_REQUEST',
    message: expect.stringMatching(/^--stage: expected at most 20 bytes when packed .*, found "more in .*\/big"$/),
  });
  await expect(pack(join(folder, 'none'))).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
    message: expect.stringMatching(/^--stage: file ".*none" cannot be read: tar: .*No such file or directory/),
  });
});
