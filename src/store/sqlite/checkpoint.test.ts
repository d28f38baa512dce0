import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { numberedBatch, readNumberedBatches } from '../../../test/support/store-rows.ts';
import type { CheckpointPolicy } from './checkpoint.ts';
import { openSqliteStore } from './open.ts';

const NEVER = 1_000_000;
const BATCHES = 60;
let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spawn-store-'));
  path = join(folder, 'store.db');
});
afterEach(() => rm(folder, { recursive: true }));

async function openAndWrite(checkpoints: CheckpointPolicy) {
  const store = await openSqliteStore({ path, checkpoints });
  for (let number = 1; number <= BATCHES; number++) await store.commit(numberedBatch(number));
  return store;
}

const logBytes = () => statSync(`${path}-wal`).size;

test('under load the log is used again from its beginning once it is long enough', async () => {
  const store = await openAndWrite({ maxPages: 40, idlePages: NEVER, idleMs: NEVER });
  const longest = 40 + 30;
  expect(logBytes()).toBeLessThan(longest * 4_200);
  await store.close();
  const again = await openSqliteStore({ path, checkpoints: { maxPages: NEVER, idlePages: NEVER, idleMs: NEVER } });
  expect(await readNumberedBatches(again)).toHaveLength(BATCHES);
  for (let number = BATCHES + 1; number <= 2 * BATCHES; number++) await again.commit(numberedBatch(number));
  expect(logBytes()).toBeGreaterThan(longest * 4_200);
  await again.close();
});

test('a quiet moment moves what was written into the database', async () => {
  const store = await openAndWrite({ maxPages: NEVER, idlePages: 1, idleMs: 1 });
  const written = BATCHES * 6_000;
  await vi.waitFor(() => expect(statSync(path).size).toBeGreaterThan(written), { timeout: 20_000 });
  await store.close();
});

test('closing leaves no log behind', async () => {
  const store = await openAndWrite({ maxPages: NEVER, idlePages: NEVER, idleMs: NEVER });
  await store.close();
  expect(statSync(`${path}-wal`, { throwIfNoEntry: false })).toBeUndefined();
});
