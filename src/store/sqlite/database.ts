import Database from 'better-sqlite3';
import { SpawnError } from '../../core/errors.ts';
import { type CheckpointPolicy, planCheckpoints } from './checkpoint.ts';
import { lockedError, type StoreLock, takeLock } from './lock.ts';
import { migrate } from './migrate.ts';
import { createPrivateFile } from './private-file.ts';
import { prepareReads } from './read.ts';
import { EpochPassed, prepareWrites } from './write-batch.ts';

export interface DatabaseOptions {
  readonly path: string;
  /** Epoch ms. */
  readonly openedAt: number;
  readonly checkpoints?: CheckpointPolicy;
}

export type StoreDatabase = ReturnType<typeof openDatabase>;

/** How long a commit waits for someone who looks into the database with another program. */
const BUSY_TIMEOUT_MS = 5_000;

/** Takes the lock, brings the schema up to date and begins a new epoch. Runs in the store's thread, and blocks it. */
export function openDatabase({ path, openedAt, checkpoints }: DatabaseOptions) {
  const lock = takeLock(path, openedAt);
  let db: Database.Database | undefined;
  try {
    createPrivateFile(path);
    db = new Database(path, { timeout: BUSY_TIMEOUT_MS });
    configure(db, path);
    migrate(db, path);
    const { storeId, epoch } = beginEpoch(db);
    lock.announce(epoch);
    return assemble(db, lock, path, storeId, epoch, checkpoints);
  } catch (error) {
    db?.close();
    lock.release();
    throw error;
  }
}

function configure(db: Database.Database, path: string): void {
  // Only a new database takes it.
  db.pragma('page_size = 4096');
  if (db.pragma('journal_mode = WAL', { simple: true }) !== 'wal') {
    throw new SpawnError('STORE_FAILED', { path, why: `${path}: no write-ahead log is possible there` });
  }
  db.pragma('synchronous = FULL');
  db.pragma('foreign_keys = ON');
  db.pragma('wal_autocheckpoint = 0');
  db.pragma('temp_store = MEMORY');
  db.pragma('trusted_schema = OFF');
}

function beginEpoch(db: Database.Database): { storeId: string; epoch: number } {
  return db
    .prepare<[], { storeId: string; epoch: number }>(
      'UPDATE meta SET epoch = epoch + 1 RETURNING store_id AS storeId, epoch',
    )
    .get()!;
}

function assemble(
  db: Database.Database,
  lock: StoreLock,
  path: string,
  storeId: string,
  epoch: number,
  policy: CheckpointPolicy | undefined,
) {
  const write = prepareWrites(db, epoch);
  const reads = prepareReads(db);
  const checkpoints = planCheckpoints(db, policy);
  return {
    path,
    storeId,
    epoch,
    ...reads,
    commit: (batch: Parameters<typeof write>[0]): void => {
      try {
        write(batch);
      } catch (error) {
        throw error instanceof EpochPassed ? lockedError(path) : error;
      }
    },
    onAnswered: checkpoints.onAnswered,
    close: (): void => {
      checkpoints.finish();
      db.close();
      lock.release();
    },
  };
}
