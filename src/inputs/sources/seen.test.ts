import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isSpawnError } from '../../core/errors.ts';
import { resolveSources } from './resolve.ts';

let cwd: string;

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'spawn-seen-'));
  for (const folder of ['a', 'b', 'a/b', 'a/a', 'a/b/a', 'b/.a', 'b/b']) mkdirSync(join(cwd, folder));
  for (const folder of ['.', 'a', 'b', 'a/b', 'a/a', 'a/b/a', 'b/.a']) {
    for (const name of ['x', 'y', '.x']) writeFileSync(join(cwd, folder, name), '');
  }
  symlinkSync('..', join(cwd, 'a/up'));
  symlinkSync('../../a/b', join(cwd, 'b/b/ab'));
  symlinkSync('../x', join(cwd, 'b/lx'));
});
afterAll(() => rmSync(cwd, { recursive: true }));

async function resolved(from: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const { uri } of resolveSources(from, [], { cwd })) found.push(uri);
  return found;
}

const nothing = (error: unknown): string[] => {
  if (isSpawnError(error) && error.code === 'INPUT_NOT_FOUND') return [];
  throw error;
};

test('places together give what each gives alone, each file once and where it came first', async () => {
  const name = fc.constantFrom('a', 'b', '*', '**', 'x', 'y', '.*', '?', '[ab]', 'up', '{a,b}', 'ab', '.a', '*x');
  const place = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
  await fc.assert(
    fc.asyncProperty(fc.array(place, { minLength: 2, maxLength: 5 }), async (places) => {
      const alone: string[][] = [];
      const fruitful: string[] = [];
      for (const one of places) {
        const found = await resolved([one]).catch(nothing);
        if (found.length === 0) continue;
        alone.push(found);
        fruitful.push(one);
        expect(found).toEqual([...new Set(found)]);
      }
      expect(await resolved(fruitful)).toEqual([...new Set(alone.flat())]);
    }),
    { numRuns: 300 },
  );
});
