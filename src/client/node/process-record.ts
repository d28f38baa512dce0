import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { SpawnError } from '../../core/errors.ts';
import { isAlive, type ProcessIdentity } from './process-identity.ts';

/** What a background process of a data directory says of itself in `<data>/run/<role>.json`. */
export interface ProcessRecord extends ProcessIdentity {
  /** Of the package it runs. */
  readonly version: string;
  /** Where it listens, or will. */
  readonly socketPath: string;
  /** Of a local worker: the process under which its tasks run. */
  readonly forker?: ProcessIdentity;
}

/** What link(2) says on FAT, on some network file systems, and where it is not allowed. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Undefined when there is none, or none that can be read. */
export function readRecord(path: string): ProcessRecord | undefined {
  try {
    return toRecord(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

/** The record at `path`, if the process that wrote it still lives. */
export function readLiveRecord(path: string): ProcessRecord | undefined {
  const record = readRecord(path);
  return record !== undefined && isAlive(record) ? record : undefined;
}

/** Whole or not at all, also for a reader at the same moment. */
export function writeRecord(path: string, record: ProcessRecord): void {
  const draft = writeDraft(path, record);
  renameSync(draft, path);
}

/** Removes the record only if it is this process's own. */
export function removeRecord(path: string, own: ProcessIdentity): void {
  if (isSame(readRecord(path), own)) rmSync(path, { force: true });
}

/**
 * Takes the one place that `path` stands for, or gives back who has it. The place is free when its holder is dead,
 * however that died.
 *
 * A dead holder's record is replaced only by whoever has the right to replace exactly that record (a second place, named
 * after it), so two processes that find the same dead holder cannot both take the place.
 */
export function takePlace(path: string, own: ProcessRecord): ProcessRecord | undefined {
  const draft = writeDraft(path, own);
  try {
    while (!tryLink(draft, path)) {
      const holder = readRecord(path);
      if (holder !== undefined && isAlive(holder)) return holder;
      const right = `${path}.after-${holder === undefined ? 'unreadable' : `${holder.pid}-${holder.startTicks}`}`;
      if (!tryLink(draft, right)) {
        const successor = readRecord(right);
        if (successor !== undefined && isAlive(successor)) return successor;
        rmSync(right, { force: true });
        continue;
      }
      try {
        if (isSame(readRecord(path), holder)) renameSync(writeDraft(`${path}.taken`, own), path);
        if (isSame(readRecord(path), own)) return undefined;
      } finally {
        rmSync(right, { force: true });
      }
    }
    return undefined;
  } finally {
    rmSync(draft, { force: true });
  }
}

function isSame(a: ProcessIdentity | undefined, b: ProcessIdentity | undefined): boolean {
  return a?.pid === b?.pid && a?.startTicks === b?.startTicks && a?.bootId === b?.bootId;
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code === undefined || !NO_LINKS.has(code)) throw error;
    const found = `a file system without hard links (${code})`;
    throw new SpawnError('STORE_NETWORK_FS', { path: dirname(to), found }, { cause: error });
  }
}

function writeDraft(path: string, record: ProcessRecord): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${record.pid}.tmp`;
  writeFileSync(draft, JSON.stringify(record), { mode: 0o600 });
  return draft;
}

function toRecord(value: unknown): ProcessRecord | undefined {
  const identity = toIdentity(value);
  if (identity === undefined) return undefined;
  const { version, socketPath, forker } = value as Record<string, unknown>;
  const known = toIdentity(forker);
  return {
    ...identity,
    version: String(version ?? ''),
    socketPath: String(socketPath ?? ''),
    ...(known === undefined ? {} : { forker: known }),
  };
}

function toIdentity(value: unknown): ProcessIdentity | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { pid, startTicks, bootId } = value as Record<string, unknown>;
  if (typeof pid !== 'number' || typeof startTicks !== 'number' || typeof bootId !== 'string') return undefined;
  return { pid, startTicks, bootId };
}
