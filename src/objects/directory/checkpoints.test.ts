import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Checkpoints } from '../log-reader.ts';
import { openCheckpoints } from './checkpoints.ts';

let folder: string;
let checkpoints: Checkpoints;
const FREE = { most: 1_000, isCurrent: () => true };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'checkpoints-'));
  checkpoints = await openCheckpoints(folder);
});

afterEach(() => rm(folder, { recursive: true }));

const of = (...chunks: string[]) => Readable.from(chunks.map((chunk) => Buffer.from(chunk)));

async function read(job: number, position: number): Promise<string | undefined> {
  const found = await checkpoints.read(job, position);
  if (found === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of found.chunks) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  expect(found.bytes).toBe(text.length);
  return text;
}

test('the newest whole one of each task is kept, also by another life', async () => {
  expect(await read(1, 0)).toBeUndefined();
  expect(await checkpoints.put(1, 0, of('a', 'b'), FREE)).toBe(true);
  expect(await checkpoints.put(1, 0, of('second'), FREE)).toBe(true);
  expect(await checkpoints.put(1, 7, of(), FREE)).toBe(true);
  await writeFile(join(folder, '1', '9.abc.tmp'), 'half');
  checkpoints = await openCheckpoints(folder);
  expect([await read(1, 0), await read(1, 7), await read(2, 0)]).toEqual(['second', '', undefined]);
  expect([...checkpoints.positions(1)].sort()).toEqual([0, 7]);
  expect((await readdir(join(folder, '1'))).sort()).toEqual(['0', '7']);
  expect([await checkpoints.jobs(), await checkpoints.size(1)]).toEqual([[1], 6]);
});

test('nothing is changed by one that is too long, breaks off, or whose attempt is over', async () => {
  await checkpoints.put(1, 0, of('good'), FREE);
  await expect(checkpoints.put(1, 0, of('x'.repeat(600), 'x'.repeat(600)), FREE)).rejects.toMatchObject({
    code: 'BODY_TOO_LARGE',
  });
  const broken = Readable.from(
    (function* () {
      yield Buffer.from('half');
      throw new Error('cut');
    })(),
  );
  await expect(checkpoints.put(1, 0, broken, FREE)).rejects.toThrow('cut');
  expect(await checkpoints.put(1, 0, of('late'), { most: 9, isCurrent: () => false })).toBe(false);
  expect([await read(1, 0), await readdir(join(folder, '1'))]).toEqual(['good', ['0']]);
});

test('they go one by one, or with the job', async () => {
  for (const position of [0, 1]) await checkpoints.put(1, position, of('x'), FREE);
  await checkpoints.drop(1, 0);
  await checkpoints.drop(1, 5);
  expect([[...checkpoints.positions(1)], await read(1, 0), await read(1, 1)]).toEqual([[1], undefined, 'x']);
  await checkpoints.remove(1);
  expect([checkpoints.positions(1).size, await checkpoints.jobs()]).toEqual([0, []]);
});
