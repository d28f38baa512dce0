import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { isSpawnError, SpawnError } from '../../core/errors.ts';

/** What an error means for the store. */
export interface StoreFailure {
  readonly error: SpawnError;
  /** The database must not be used any more: what is on the disk is not known until it is opened again. */
  readonly fatal: boolean;
}

/** Less than this left on the disk: an I/O error is taken for a lack of space. */
const NO_SPACE_BYTES = 256 * 1024;

/** SQLite reports a failed sync or a damaged file once; to go on would build on what may not be there. */
const FATAL = /^SQLITE_(?:IOERR|CORRUPT|NOTADB|CANTOPEN|READONLY|PROTOCOL)/;
const MAY_BE_FULL = /^SQLITE_IOERR(?:_WRITE|_TRUNCATE|_SHMSIZE|$)/;

/** @param hasSpace default: asks the file system */
export function readFailure(error: unknown, path: string, hasSpace = () => spaceIsLeft(path)): StoreFailure {
  if (isSpawnError(error)) return { error, fatal: false };
  // Of an SqliteError too; its class is not asked for, because to import it would load SQLite into the main thread.
  const { code } = error as { code?: string };
  const text = error instanceof Error ? error.message : String(error);
  const why = code === undefined ? text : `${text} (${code})`;
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT') return full(path, why, error);
  if (code !== undefined && MAY_BE_FULL.test(code) && !hasSpace()) return full(path, why, error);
  return {
    error: new SpawnError('STORE_FAILED', { path, why: `${path}: ${why}` }, { cause: error }),
    fatal: code !== undefined && FATAL.test(code),
  };
}

function full(path: string, why: string, cause: unknown): StoreFailure {
  return { error: new SpawnError('STORE_FULL', { path, why }, { cause }), fatal: false };
}

function spaceIsLeft(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize >= NO_SPACE_BYTES;
  } catch {
    return true;
  }
}
