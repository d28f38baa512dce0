import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aBatch, aJob, numberedBatch, readNumberedBatches } from '../../../test/support/store-rows.ts';
import type { Store } from '../store.ts';
import { MIGRATIONS } from './migrate.ts';
import { openSqliteStore } from './open.ts';

let folder: string;
let path: string;
const opened: Store[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spawn-store-'));
  path = join(folder, 'data', 'store.db');
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  await rm(folder, { recursive: true });
});

async function open(): Promise<Store> {
  const store = await openSqliteStore({ path, now: () => 1234 });
  opened.push(store);
  return store;
}

async function openAndClose(fill: (store: Store) => Promise<void> = async () => {}): Promise<void> {
  const store = await openSqliteStore({ path });
  await fill(store);
  await store.close();
}

describe('files', () => {
  test('all are for the user alone, while the store is open and after', async () => {
    const store = await open();
    await store.commit(numberedBatch(1));
    const modes = () =>
      Object.fromEntries(
        readdirSync(join(folder, 'data')).map((name) => [name, statSync(join(folder, 'data', name)).mode & 0o777]),
      );
    expect(statSync(join(folder, 'data')).mode & 0o777).toBe(0o700);
    expect(modes()).toEqual({
      'store.db': 0o600,
      'store.db-shm': 0o600,
      'store.db-wal': 0o600,
      'store.db.lock': 0o600,
      'store.db.owner': 0o600,
    });
    await store.close();
    expect(modes()).toEqual({ 'store.db': 0o600, 'store.db.lock': 0o600 });
  });

  test('a database that others could read is closed to them when it is opened', async () => {
    await openAndClose();
    chmodSync(path, 0o644);
    await open();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(`${path}-wal`).mode & 0o777).toBe(0o600);
  });
});

describe('lock', () => {
  test('a second opener is refused, told who has it, and changes nothing', async () => {
    const store = await open();
    await expect(openSqliteStore({ path })).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: `store ${path} is in use by process ${process.pid} on ${hostname()}`,
      details: { path, host: hostname(), pid: process.pid },
    });
    await store.commit(numberedBatch(1));
    // A refused attempt must not have opened the door for a third.
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    expect(JSON.parse(await readFile(`${path}.owner`, 'utf8'))).toEqual({
      host: hostname(),
      pid: process.pid,
      bootId: expect.any(String),
      openedAt: 1234,
      epoch: store.epoch,
    });
    await store.close();
    expect((await open()).epoch).toBe(store.epoch + 1);
  });

  test('of many who open at once, one gets it', async () => {
    const attempts = await Promise.allSettled(Array.from({ length: 5 }, () => openSqliteStore({ path })));
    const stores = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
    const reasons = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason.code] : []));
    opened.push(...stores);
    expect(stores).toHaveLength(1);
    expect(reasons).toEqual(Array(4).fill('STORE_LOCKED'));
  });

  test('a store that was taken over in spite of the lock fences the older one', async () => {
    const older = await open();
    await older.commit(numberedBatch(1));
    rmSync(`${path}.lock`);
    const newer = await open();
    expect(newer.epoch).toBe(older.epoch + 1);
    await expect(older.commit(numberedBatch(2))).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      details: { host: hostname(), pid: process.pid },
    });
    expect(await readNumberedBatches(newer)).toEqual([1]);
    await newer.commit(numberedBatch(2));
    expect(await readNumberedBatches(newer)).toEqual([1, 2]);
  });
});

describe('files that are no store', () => {
  const failed = { code: 'STORE_FAILED', message: expect.stringContaining('store.db: ') };

  test('garbage', async () => {
    await mkdir(join(folder, 'data'));
    writeFileSync(path, 'these are not the bytes of a database\n'.repeat(1000));
    await expect(openSqliteStore({ path })).rejects.toMatchObject(failed);
  });

  test('the database of another program is left as it is', async () => {
    await mkdir(join(folder, 'data'));
    const db = new Database(path);
    db.exec('CREATE TABLE songs (title TEXT)');
    db.close();
    await expect(openSqliteStore({ path })).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining('is the database of another program'),
    });
    const again = new Database(path);
    expect(again.prepare('SELECT name FROM sqlite_schema').pluck().all()).toEqual(['songs']);
    again.close();
  });

  test('a database that lost its end', async () => {
    await openAndClose((store) => store.commit(numberedBatch(1)));
    truncateSync(path, 20_000);
    await expect(openSqliteStore({ path })).rejects.toMatchObject(failed);
  });

  test('damage found later ends the store with a clear error, and the process lives', async () => {
    await openAndClose(async (store) => {
      for (let number = 1; number <= 40; number++) await store.commit(numberedBatch(number));
    });
    const { size } = statSync(path);
    const file = openSync(path, 'r+');
    // All but the first pages, which opening reads.
    for (let at = 100_000; at < size; at += 4096) writeSync(file, Buffer.alloc(4096, 0xaa), 0, 4096, at);
    closeSync(file);
    const store = await open();
    await expect(store.load()).rejects.toMatchObject(failed);
    await expect(store.commit(aBatch({ newJobs: [aJob(100)] }))).rejects.toMatchObject(failed);
    await expect(store.findKey('a', 'b')).rejects.toMatchObject(failed);
    await store.close();
    expect((await open()).epoch).toBe(store.epoch + 1);
  });

  test('a folder in its place, or a file in place of its folder', async () => {
    await mkdir(path, { recursive: true });
    await expect(openSqliteStore({ path })).rejects.toMatchObject(failed);
    writeFileSync(join(folder, 'plain'), '');
    await expect(openSqliteStore({ path: join(folder, 'plain', 'store.db') })).rejects.toMatchObject(failed);
  });

  test('after a failed opening the lock is free', async () => {
    await mkdir(path, { recursive: true });
    await expect(openSqliteStore({ path })).rejects.toMatchObject(failed);
    await rm(path, { recursive: true });
    await open();
    expect(existsSync(path)).toBe(true);
  });
});

describe('versions', () => {
  test('a store of a newer release is refused in one line and left as it is', async () => {
    await openAndClose((store) => store.commit(numberedBatch(1)));
    const db = new Database(path);
    db.exec('UPDATE meta SET schema_version = 99');
    db.close();
    await expect(openSqliteStore({ path })).rejects.toMatchObject({
      code: 'STORE_NEWER',
      details: { path, expected: MIGRATIONS.length, found: 99 },
      message: expect.not.stringContaining('\n'),
    });
    const again = new Database(path);
    expect(again.prepare('SELECT schema_version, epoch FROM meta').get()).toEqual({ schema_version: 99, epoch: 1 });
    again.close();
  });
});
