import { createHash } from 'node:crypto';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requireOr } from '../../../test/support/require.ts';
import { canMountSmallDisk, mountSmallDisk } from '../../../test/support/small-disk.ts';
import type { Blobs } from '../log-reader.ts';
import { openBlobs } from './blobs.ts';

const text = (value: string) => new TextEncoder().encode(value);
const hashOf = (value: string) => createHash('sha256').update(value).digest('hex');

let folder: string;
let blobs: Blobs;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-blobs-'));
  blobs = await openBlobs(join(folder, 'blobs'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const files = () => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

test('what was put is got by its SHA-256, also after opening again', async () => {
  const script = '#!/bin/sh\necho \u00e4\n';
  expect(await blobs.put('script', text(script))).toBe(hashOf(script));
  expect(await blobs.put('env', text('A=1'))).toBe(hashOf('A=1'));
  expect(await blobs.put('script', new Uint8Array(0))).toBe(hashOf(''));
  const again = await openBlobs(join(folder, 'blobs'));
  const { kind, bytes } = (await again.get(hashOf(script)))!;
  expect([kind, new TextDecoder().decode(bytes)]).toEqual(['script', script]);
  expect(await again.get(hashOf('A=1'))).toMatchObject({ kind: 'env' });
  expect((await again.get(hashOf('')))?.bytes.length).toBe(0);
  expect(await again.get(hashOf('none'))).toBeUndefined();
});

test('the same bytes are stored once, also when many put them at once', async () => {
  await Promise.all(Array.from({ length: 20 }, () => blobs.put('script', text('same'))));
  await blobs.put('script', text('same'));
  expect(files().map(({ name }) => name)).toEqual([hashOf('same')]);
});

test('bytes that are both a script and an environment count as an environment', async () => {
  await blobs.put('script', text('both'));
  await blobs.put('env', text('both'));
  expect((await blobs.get(hashOf('both')))?.kind).toBe('env');
});

test('files and folders are for the user alone', async () => {
  await blobs.put('env', text('SECRET=1'));
  const [file] = files();
  expect(statSync(join(file!.parentPath, file!.name)).mode & 0o777).toBe(0o600);
  expect(statSync(file!.parentPath).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, 'blobs')).mode & 0o777).toBe(0o700);
});

test.each(['', '..', '../../etc/passwd', 'A'.repeat(64), `${'a'.repeat(64)}/x`, `${'a'.repeat(64)}\n`])(
  'what is no hash names no file: %j',
  async (name) => {
    expect(await blobs.get(name)).toBeUndefined();
  },
);

test('a blob that was changed, or replaced by a link, is not given back', async () => {
  const hash = await blobs.put('script', text('good'));
  const path = join(folder, 'blobs', 'script', hash);
  writeFileSync(path, 'evil');
  await expect(blobs.get(hash)).rejects.toMatchObject({ code: 'STORE_FAILED', message: expect.stringContaining(hash) });
  rmSync(path);
  writeFileSync(join(folder, 'elsewhere'), 'good');
  symlinkSync(join(folder, 'elsewhere'), path);
  await expect(blobs.get(hash)).rejects.toMatchObject({ code: 'STORE_FAILED' });
  await blobs.put('script', text('good'));
  expect(await blobs.get(hash)).toMatchObject({ kind: 'script' });
  expect(readFileSync(join(folder, 'elsewhere'), 'utf8')).toBe('good');
});

test('what a writer that died left behind is removed', async () => {
  const left = join(folder, 'blobs', 'script', `${hashOf('x')}.00ff.tmp`);
  writeFileSync(left, 'half');
  await openBlobs(join(folder, 'blobs'));
  expect(files()).toEqual([]);
});

test('a folder that cannot be made is a clear error', async () => {
  writeFileSync(join(folder, 'plain'), '');
  await expect(openBlobs(join(folder, 'plain'))).rejects.toMatchObject({
    code: 'STORE_FAILED',
    message: expect.stringContaining(join(folder, 'plain')),
  });
});

requireOr('the right to mount a tmpfs', canMountSmallDisk())(
  'a full disk refuses, leaves nothing, and recovers',
  async () => {
    const disk = mountSmallDisk(256 * 1024);
    try {
      const small = await openBlobs(join(disk.path, 'blobs'));
      await small.put('script', text('kept'));
      const big = new Uint8Array(300 * 1024);
      await expect(small.put('script', big)).rejects.toMatchObject({ code: 'STORE_FULL' });
      expect(readdirSync(join(disk.path, 'blobs', 'script'))).toEqual([hashOf('kept')]);
      expect(await small.get(hashOf('kept'))).toMatchObject({ kind: 'script' });
      await small.put('script', text('next'));
    } finally {
      disk.unmount();
    }
  },
);

describe('removing', () => {
  const past = () => (Date.now() - 7_200_000) / 1000;

  test('only what is old and has not been stored or read again', async () => {
    const names = ['old', 'read', 'stored', 'young'];
    const hashes = await Promise.all(names.map((text) => blobs.put('script', Buffer.from(text))));
    for (const hash of hashes.slice(0, 3)) utimesSync(join(folder, 'blobs', 'script', hash), past(), past());
    await blobs.get(hashes[1]!);
    await blobs.put('script', Buffer.from('stored'));
    const removed = hashes.map((hash) => blobs.remove({ kind: 'script', hash }, 3_600_000));
    expect(await Promise.all(removed)).toEqual([true, false, false, false]);
    expect(await blobs.get(hashes[0]!)).toBeUndefined();
    expect((await blobs.list()).map(({ hash }) => hash).toSorted()).toEqual(hashes.slice(1).toSorted());
  });

  test('whoever reads while it is removed has it, or has none; what is no hash is left alone', async () => {
    for (let round = 0; round < 20; round++) {
      const hash = await blobs.put('env', Buffer.from(`x${round}`));
      utimesSync(join(folder, 'blobs', 'env', hash), past(), past());
      const [found, removed] = await Promise.all([blobs.get(hash), blobs.remove({ kind: 'env', hash }, 3_600_000)]);
      expect(removed).toBe(found === undefined);
      expect(await blobs.get(hash)).toEqual(found);
    }
    expect(await blobs.remove({ kind: 'env', hash: '../script' }, 0)).toBe(false);
  });
});
