import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeStageManifest } from '../api/stage.ts';
import { SpawnError } from '../core/errors.ts';
import { removeStages, Stages } from './stages.ts';

let folder: string;
let blobs: Map<string, Uint8Array>;
const never = new AbortController().signal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-stages-'));
  blobs = new Map();
  mkdirSync(join(folder, 'in'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const client = {
  async getBlob(hash: string): Promise<Uint8Array> {
    const found = blobs.get(hash);
    if (found === undefined) throw new SpawnError('FILE_NOT_FOUND', { path: hash });
    return found;
  },
};

function stages(marker = 's-1'): Stages {
  return new Stages({ directory: join(folder, 'worker'), marker, client, signal: never });
}

function put(bytes: Uint8Array): string {
  const hash = createHash('sha256').update(bytes).digest('hex');
  blobs.set(hash, bytes);
  return hash;
}

/** Stores an archive in small pieces; gives the hash of its manifest. */
function store(archive: Uint8Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < archive.length; at += 100) pieces.push(put(archive.subarray(at, at + 100)));
  return put(writeStageManifest({ version: 1, pieces, bytes: archive.length }));
}

function tar(...words: string[]): Uint8Array {
  return execFileSync('tar', ['-cz', ...words], { cwd: join(folder, 'in'), stdio: ['ignore', 'pipe', 'ignore'] });
}

test('tasks find the directory as it was packed, for this user alone; it goes with the job', async () => {
  writeFileSync(join(folder, 'in/run.sh'), 'echo hi', { mode: 0o755 });
  mkdirSync(join(folder, 'in/sub'));
  writeFileSync(join(folder, 'in/sub/x'), 'y');
  const one = stages();
  const path = await one.unpack(7, store(tar('.')));
  expect(path).toBe(join(folder, 'worker/work/s-1-7'));
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(statSync(join(path, 'run.sh')).mode & 0o700).toBe(0o700);
  expect(readFileSync(join(path, 'sub/x'), 'utf8')).toBe('y');
  one.forget(7);
  await one.close();
  expect(existsSync(path)).toBe(false);
});

test('no name and no link of a hostile archive leads out', async () => {
  const victim = join(folder, 'victim');
  writeFileSync(victim, 'mine');
  const outside = join(folder, 'outside');
  mkdirSync(outside);
  // A link that leads out, and a file through it; one by its absolute name; one with `..`.
  execFileSync('ln', ['-s', outside, join(folder, 'in/door')]);
  execFileSync('ln', ['-s', victim, join(folder, 'in/alias')]);
  const path = join(folder, 'in.tar');
  const run = (...words: string[]) =>
    execFileSync('tar', ['-P', '-f', path, ...words], { cwd: join(folder, 'in'), stdio: 'ignore' });
  run('-c', 'door', 'alias');
  writeFileSync(join(folder, 'in/evil'), 'theirs');
  run('-r', '--transform=s,^evil$,door/evil,', 'evil');
  run('-r', '--transform=s,^evil$,alias,', 'evil');
  run('-r', '--transform=s,^evil$,../../../escaped,', 'evil');
  run('-r', `--transform=s,^evil$,${folder}/absolute,`, 'evil');
  const archive = execFileSync('gzip', ['-c', path]);
  await stages()
    .unpack(8, store(archive))
    .catch((error: unknown) => expect(error).toMatchObject({ code: 'FILE_UNREADABLE' }));
  expect(readFileSync(victim, 'utf8')).toBe('mine');
  expect(readdirSync(outside)).toEqual([]);
  for (const name of ['escaped', 'absolute']) expect(existsSync(join(folder, name))).toBe(false);
  await removeStages(join(folder, 'worker'), async () => false);
  expect(readdirSync(join(folder, 'worker/work'))).toEqual([]);
  expect([readFileSync(victim, 'utf8'), existsSync(outside)]).toEqual(['mine', true]);
});

test.each([
  ['no manifest', () => put(new Uint8Array([1])), /it lists no pieces/],
  ['no gzip', () => store(new TextEncoder().encode('hello')), /incorrect header check/],
  ['no tar', () => store(execFileSync('gzip', ['-c'], { input: 'hello\n'.repeat(200) })), /tar: /],
  ['half of it', () => store(tar('.').subarray(0, 60)), /unexpected end of file|tar: /],
  [
    'a piece that is gone',
    () => put(writeStageManifest({ version: 1, pieces: ['a'.repeat(64)], bytes: 1 })),
    /not found/,
  ],
])('%s is refused, with the reason', async (_, make, why) => {
  await expect(stages().unpack(9, make())).rejects.toMatchObject({
    message: expect.stringMatching(why),
    http: expect.toSatisfy((http: number) => http >= 400 && http < 500),
  });
});

test('a piece that came with other bytes is no reason to give up', async () => {
  const hash = store(tar('.'));
  for (const [name, bytes] of blobs)
    if (name !== hash)
      blobs.set(
        name,
        bytes.map((byte) => byte ^ 1),
      );
  await expect(stages().unpack(9, hash)).rejects.toMatchObject({ code: 'INTERNAL' });
});

test('what dead sessions left goes, what living ones have stays', async () => {
  const hash = store(tar('.'));
  for (const marker of ['s-1', 's-2']) await stages(marker).unpack(1, hash);
  await removeStages(join(folder, 'worker'), async (marker) => marker === 's-2');
  expect(readdirSync(join(folder, 'worker/work'))).toEqual(['s-2-1']);
});
