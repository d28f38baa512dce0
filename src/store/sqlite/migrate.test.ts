import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { aBatch, anInstance, aToken } from '../../../test/support/store-rows.ts';
import { MIGRATIONS, migrate } from './migrate.ts';
import { packBatch } from './pack-batch.ts';
import { prepareReads } from './read.ts';
import { prepareWrites } from './write-batch.ts';

const SECOND = `ALTER TABLE events ADD COLUMN color TEXT NOT NULL DEFAULT 'grey'`;
const THIRD = 'CREATE TABLE extras (id INTEGER PRIMARY KEY) STRICT';

let folder: string;
let path: string;
let db: Database.Database;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-migrate-'));
  path = join(folder, 'store.db');
  db = new Database(path);
  db.pragma('journal_mode = WAL');
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

function version(of = db): unknown {
  return of.prepare('SELECT schema_version FROM meta').pluck().get();
}

function backups(): string[] {
  return readdirSync(folder).filter((name) => name.includes('backup'));
}

test('a new database gets the newest schema without a backup; again is nothing', () => {
  migrate(db, path);
  const made = db.prepare('SELECT * FROM meta').get();
  expect(made).toMatchObject({ schema_version: MIGRATIONS.length, epoch: 0 });
  migrate(db, path);
  expect(db.prepare('SELECT * FROM meta').get()).toEqual(made);
  expect(backups()).toEqual([]);
});

test('an older one is copied, then changed; what was in it stays', () => {
  migrate(db, path, MIGRATIONS.slice(0, 1));
  const before = db.prepare('SELECT store_id FROM meta').pluck().get();
  db.exec(`INSERT INTO events (at, job_id, kind, detail) VALUES (1, 2, 'kept', '{}')`);
  migrate(db, path, [...MIGRATIONS.slice(0, 1), SECOND, THIRD]);

  expect(version()).toBe(3);
  expect(db.prepare('SELECT kind, color FROM events').all()).toEqual([{ kind: 'kept', color: 'grey' }]);
  expect(db.prepare('SELECT store_id FROM meta').pluck().get()).toBe(before);
  expect(backups()).toEqual(['store.db.v1.backup']);
  expect(statSync(join(folder, 'store.db.v1.backup')).mode & 0o777).toBe(0o600);
  const copy = new Database(join(folder, 'store.db.v1.backup'), { readonly: true });
  expect(version(copy)).toBe(1);
  expect(copy.prepare('SELECT * FROM events').all()).toEqual([{ id: 1, at: 1, job_id: 2, kind: 'kept', detail: '{}' }]);
  expect(copy.pragma('integrity_check', { simple: true })).toBe('ok');
  copy.close();
});

test('a migration that fails changes nothing, and can be tried again', () => {
  migrate(db, path, MIGRATIONS.slice(0, 1));
  expect(() => migrate(db, path, [...MIGRATIONS.slice(0, 1), SECOND, 'CREATE TABLE'])).toThrow(/incomplete input/);
  expect(version()).toBe(1);
  expect(() => db.prepare('SELECT color FROM events')).toThrow(/no such column/);
  migrate(db, path, [...MIGRATIONS.slice(0, 1), SECOND]);
  expect(version()).toBe(2);
  expect(backups()).toEqual(['store.db.v1.backup']);
});

test('a newer one is refused', () => {
  migrate(db, path, [...MIGRATIONS.slice(0, 1), SECOND]);
  expect(() => migrate(db, path, MIGRATIONS.slice(0, 1))).toThrow(
    expect.objectContaining({ code: 'STORE_NEWER', details: { path, expected: 1, found: 2 } }),
  );
});

test('a store of the first schema with content in it is read by this release, and gets its new tables', () => {
  migrate(db, path, MIGRATIONS.slice(0, 1));
  db.exec(`
    UPDATE meta SET next_job = 2, epoch = 5;
    INSERT INTO jobs VALUES (1, 'a-20260101-0a0b0c', 'a', '1000', 'local', 1, 1000000000, 5, '', '{}');
    INSERT INTO job_states VALUES (1, 0, 0, 0, 0, 0, 0, 0, 0, '[0,1,0,0,0,0,0,0]', '{}');
    INSERT INTO sessions VALUES (1, 'w', 'h', 9, '', 5, 0, '{}');
    INSERT INTO grants VALUES (1, 1, 1, 0, 1, x'01');
    INSERT INTO events (at, job_id, kind, detail) VALUES (5, 1, 'jobSubmitted', '{}');
  `);
  migrate(db, path);
  const rows = prepareReads(db).load();
  expect(rows.jobs).toMatchObject([{ id: 1, name: 'a', createdAt: 5 }]);
  expect(rows.grants).toMatchObject([{ fence: 1, sessionId: 1 }]);
  expect(rows.sessions).toMatchObject([{ id: 1, worker: 'w' }]);
  expect(rows.counters).toMatchObject({ nextJob: 2 });
  expect([rows.tokens, rows.instances, rows.budgets]).toEqual([[], [], []]);
  prepareWrites(db, 5)(packBatch(aBatch({ tokens: [aToken(1)], instances: [anInstance(1)] })).packed);
  expect(prepareReads(db).load()).toMatchObject({ tokens: [aToken(1)], instances: [anInstance(1)] });
  expect(backups()).toEqual(['store.db.v1.backup']);
});

test.each([2, 3, 4])('a store of schema %i keeps what it has, and takes instances', (found) => {
  migrate(db, path, MIGRATIONS.slice(0, found));
  db.exec(`
    UPDATE meta SET next_job = 2, epoch = 5;
    INSERT INTO jobs VALUES (1, 'a-20260101-0a0b0c', 'a', '1000', 'local', 1, 1000000000, 5, '', '{}');
    INSERT INTO job_states VALUES (1, 0, 0, 0, 0, 9, 0, 0, 0, '[0,0,0,0,1,0,0,0]', '{}');
  `);
  migrate(db, path);
  expect(backups()).toEqual([`store.db.v${found}.backup`]);
  const write = prepareWrites(db, 5);
  const reads = prepareReads(db);
  write(packBatch(aBatch({ instances: [anInstance(1)] })).packed);
  expect(reads.load().instances).toEqual([anInstance(1)]);
  expect(reads.load().jobs).toEqual([]);
  const ended = anInstance(1, { endedAt: 7 });
  write(packBatch(aBatch({ instances: [ended] })).packed);
  expect(reads.load().instances).toEqual([]);
  expect(reads.findInstances({ endedFrom: 7, limit: 5 })).toEqual([ended]);
  write(packBatch(aBatch({ deletedJobs: [1] })).packed);
  expect(reads.findInstances({ endedFrom: 0, limit: 5 })).toEqual([]);
});
