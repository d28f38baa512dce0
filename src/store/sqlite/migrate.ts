import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Database } from 'better-sqlite3';
import { SpawnError } from '../../core/errors.ts';
import { FIRST_RAW_ID } from '../../core/ids.ts';
import { migration0001 } from './migrations/0001.ts';
import { migration0002 } from './migrations/0002.ts';
import { migration0003 } from './migrations/0003.ts';
import { migration0004 } from './migrations/0004.ts';
import { migration0005 } from './migrations/0005.ts';
import { migration0006 } from './migrations/0006.ts';
import { migration0007 } from './migrations/0007.ts';
import { migration0008 } from './migrations/0008.ts';
import { migration0009 } from './migrations/0009.ts';

/** SQL that leads from the version before to this one; the first makes version 1 of an empty database. */
export const MIGRATIONS: readonly string[] = [
  migration0001,
  migration0002,
  migration0003,
  migration0004,
  migration0005,
  migration0006,
  migration0007,
  migration0008,
  migration0009,
];

/** `SPWN`: marks a database file as a store (sqlite.org/pragma.html#pragma_application_id). */
const APPLICATION_ID = 0x5350574e;

/**
 * Brings a database to the newest schema, in one transaction, after a copy of an older one was made beside it
 * (`<path>.v<version>.backup`).
 * @throws STORE_NEWER when a newer release wrote it, STORE_FAILED when it is no store
 */
export function migrate(db: Database, path: string, migrations: readonly string[] = MIGRATIONS): void {
  const found = schemaVersion(db, path);
  const wanted = migrations.length;
  if (found > wanted) throw new SpawnError('STORE_NEWER', { path, expected: wanted, found });
  if (found === wanted) return;
  if (found > 0) backUp(db, `${path}.v${found}.backup`);
  db.transaction(() => {
    for (const sql of migrations.slice(found)) db.exec(sql);
    if (found === 0) {
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.prepare(
        `INSERT INTO meta (one, schema_version, store_id, epoch, next_job, next_raw, next_fence, next_session)
         VALUES (1, ?, ?, 0, 1, ?, 1, 1)`,
      ).run(wanted, randomBytes(6).toString('hex'), FIRST_RAW_ID);
    } else {
      db.prepare('UPDATE meta SET schema_version = ?').run(wanted);
    }
  }).immediate();
}

/** 0 for an empty database. */
function schemaVersion(db: Database, path: string): number {
  const isEmpty = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0;
  if (isEmpty) return 0;
  if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
    throw new SpawnError('STORE_FAILED', { path, why: `${path} is the database of another program` });
  }
  return db.prepare<[], number>('SELECT schema_version FROM meta').pluck().get() ?? 0;
}

function backUp(db: Database, to: string): void {
  const draft = `${to}.tmp`;
  rmSync(draft, { force: true });
  const file = openSync(draft, 'wx', 0o600);
  try {
    db.prepare('VACUUM INTO ?').run(draft);
    // VACUUM INTO does not sync what it writes.
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, to);
  const folder = openSync(dirname(to), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
