import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect } from 'vitest';
import { requireOr } from '../../../test/support/require.ts';
import { canMountSmallDisk, mountSmallDisk, type SmallDisk } from '../../../test/support/small-disk.ts';
import { numberedBatch, readNumberedBatches } from '../../../test/support/store-rows.ts';
import { isSpawnError } from '../../core/errors.ts';
import type { Store } from '../store.ts';
import { openSqliteStore } from './open.ts';

const isPossible = canMountSmallDisk();
const testOnSmallDisk = requireOr('the right to mount a tmpfs', isPossible);
const FULL = { code: 'STORE_FULL' };
let disk: SmallDisk;

beforeEach(() => {
  if (isPossible) disk = mountSmallDisk(4 * 1024 * 1024);
});
afterEach(() => {
  if (isPossible) disk.unmount();
});

function ballast(): string {
  return join(disk.path, 'ballast');
}

/** Leaves so many bytes free. */
function fillUpTo(free: number): void {
  const { bavail, bsize } = statfsSync(disk.path);
  writeFileSync(ballast(), new Uint8Array(Math.max(0, bavail * bsize - free)));
}

async function commitUntilRefused(store: Store, first: number): Promise<number> {
  for (let number = first; ; number++) {
    try {
      await store.commit(numberedBatch(number));
    } catch (error) {
      if (!isSpawnError(error) || error.code !== 'STORE_FULL') throw error;
      return number - 1;
    }
  }
}

function checkIntegrity(path: string): void {
  const db = new Database(path, { readonly: true });
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
  db.close();
}

const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1);

// From nearly nothing up, so that the space ends at a different write each time.
for (const free of [0, 4_096, 20_000, 36_864, 100_000, 333_333]) {
  testOnSmallDisk(`with ${free} bytes left: refused, reads go on, nothing is lost, and it recovers`, async () => {
    const path = join(disk.path, 'store.db');
    const store = await openSqliteStore({ path });
    await store.commit(numberedBatch(1));
    fillUpTo(free);

    const last = await commitUntilRefused(store, 2);
    await expect(store.commit(numberedBatch(last + 1))).rejects.toMatchObject(FULL);
    expect(await readNumberedBatches(store)).toEqual(upTo(last));
    checkIntegrity(path);

    rmSync(ballast());
    await store.commit(numberedBatch(last + 1));
    await store.commit(numberedBatch(last + 2));
    expect(await readNumberedBatches(store)).toEqual(upTo(last + 2));
    await store.close();

    const again = await openSqliteStore({ path });
    expect(await readNumberedBatches(again)).toEqual(upTo(last + 2));
    await again.close();
    checkIntegrity(path);
  });
}

testOnSmallDisk('a disk that the store itself filled: full at the end of each life, usable in the next', async () => {
  const path = join(disk.path, 'store.db');
  fillUpTo(1_500_000);
  const store = await openSqliteStore({ path });
  const last = await commitUntilRefused(store, 1);
  expect(last).toBeGreaterThan(10);
  await store.close();

  rmSync(ballast());
  const again = await openSqliteStore({ path });
  await again.commit(numberedBatch(last + 1));
  expect(await readNumberedBatches(again)).toEqual(upTo(last + 1));
  await again.close();
  checkIntegrity(path);
});

testOnSmallDisk('opening on a full disk is refused; with space it opens, and what was there is there', async () => {
  const path = join(disk.path, 'store.db');
  const store = await openSqliteStore({ path });
  await store.commit(numberedBatch(1));
  await store.close();
  fillUpTo(0);
  await expect(openSqliteStore({ path })).rejects.toMatchObject(FULL);
  await expect(openSqliteStore({ path: join(disk.path, 'new.db') })).rejects.toMatchObject(FULL);
  rmSync(ballast());
  const again = await openSqliteStore({ path });
  expect(await readNumberedBatches(again)).toEqual([1]);
  await again.close();
});
