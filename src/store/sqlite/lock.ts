import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import Database from 'better-sqlite3';
import { SpawnError } from '../../core/errors.ts';
import { createPrivateFile } from './private-file.ts';

/** Who has a store open: for the message to who comes second, never to decide anything. */
export interface StoreOwner {
  readonly host: string;
  readonly pid: number;
  readonly bootId: string;
  readonly openedAt: number;
  /** 0 until the store is open. */
  readonly epoch: number;
}

/** The right to be the one coordinator of a store. */
export interface StoreLock {
  /** Says in the owner file which epoch this is. */
  announce(epoch: number): void;
  release(): void;
}

/**
 * Takes the lock of the store at `path`, at once or not at all. It is a lock that SQLite holds on `<path>.lock`, so it
 * ends with the process, however that ends.
 * @throws STORE_LOCKED, naming who has it
 */
export function takeLock(path: string, openedAt: number): StoreLock {
  const lockPath = `${path}.lock`;
  createPrivateFile(lockPath);
  const db = new Database(lockPath, { timeout: 0 });
  try {
    // Nothing is ever written there, so a full disk cannot keep the lock from being taken.
    db.pragma('journal_mode = MEMORY');
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (isBusy(error)) throw lockedError(path);
    throw error;
  }
  const owner = { host: hostname(), pid: process.pid, bootId: readBootId(), openedAt };
  writeOwner(path, { ...owner, epoch: 0 });
  return {
    announce: (epoch) => writeOwner(path, { ...owner, epoch }),
    release: () => {
      // Before the lock goes, or it could be the next owner's file that is removed.
      rmSync(ownerPath(path), { force: true });
      db.close();
    },
  };
}

/** STORE_LOCKED with what the owner file tells. */
export function lockedError(path: string): SpawnError {
  const { host, pid } = readOwner(path) ?? { host: 'an unknown host', pid: 'unknown' };
  return new SpawnError('STORE_LOCKED', { path, host, pid });
}

function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(?:BUSY|LOCKED)/.test(error.code);
}

function ownerPath(path: string): string {
  return `${path}.owner`;
}

function readOwner(path: string): StoreOwner | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(ownerPath(path), 'utf8'));
    const { host, pid } = value as Partial<StoreOwner>;
    return typeof host === 'string' && typeof pid === 'number' ? (value as StoreOwner) : undefined;
  } catch {
    return undefined;
  }
}

function writeOwner(path: string, owner: StoreOwner): void {
  const draft = `${ownerPath(path)}.tmp`;
  try {
    writeFileSync(draft, `${JSON.stringify(owner)}\n`, { mode: 0o600 });
    renameSync(draft, ownerPath(path));
  } catch {
    // A full disk must not keep the store from being opened: only a message gets poorer.
    rmSync(draft, { force: true });
  }
}

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}
