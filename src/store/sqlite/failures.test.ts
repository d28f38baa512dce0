import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { SpawnError } from '../../core/errors.ts';
import { readFailure } from './failures.ts';

const sqlite = (code: string) => new Database.SqliteError('what SQLite says', code);

test.each([
  ['SQLITE_FULL', true, 'STORE_FULL', false],
  // A disk that is full shows in several ways, depending on which file could not grow.
  ['SQLITE_IOERR_WRITE', false, 'STORE_FULL', false],
  ['SQLITE_IOERR_SHMSIZE', false, 'STORE_FULL', false],
  ['SQLITE_IOERR_WRITE', true, 'STORE_FAILED', true],
  ['SQLITE_IOERR_FSYNC', true, 'STORE_FAILED', true],
  ['SQLITE_IOERR_FSYNC', false, 'STORE_FAILED', true],
  ['SQLITE_CORRUPT', true, 'STORE_FAILED', true],
  ['SQLITE_CORRUPT_VTAB', true, 'STORE_FAILED', true],
  ['SQLITE_NOTADB', true, 'STORE_FAILED', true],
  ['SQLITE_READONLY_DBMOVED', true, 'STORE_FAILED', true],
  ['SQLITE_BUSY', true, 'STORE_FAILED', false],
  ['SQLITE_CONSTRAINT_FOREIGNKEY', true, 'STORE_FAILED', false],
])('%s with space %s is %s, the end of the store: %s', (code, hasSpace, wanted, fatal) => {
  const failure = readFailure(sqlite(code), '/data/store.db', () => hasSpace);
  expect(failure).toMatchObject({ error: { code: wanted }, fatal });
  expect(failure.error.message).toContain(`what SQLite says (${code})`);
});

test('what has a code of its own keeps it', () => {
  const error = new SpawnError('STORE_NEWER', { path: '/data/store.db', expected: 1, found: 2 });
  expect(readFailure(error, '/data/store.db')).toEqual({ error, fatal: false });
});

test('an error of the system is told by its code', () => {
  const noSpace = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  expect(readFailure(noSpace, '/data/store.db')).toMatchObject({ error: { code: 'STORE_FULL' }, fatal: false });
  const denied = Object.assign(new Error('permission denied'), { code: 'EACCES' });
  expect(readFailure(denied, '/data/store.db').error.message).toContain('/data/store.db: permission denied (EACCES)');
});
