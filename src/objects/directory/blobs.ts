import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BlobKind } from '../../api/http.ts';
import { SpawnError } from '../../core/errors.ts';
import type { Blobs, StoredBlob } from '../log-reader.ts';
import { syncFolder, toStoreError } from './disk.ts';

/** In the order of looking: bytes stored as both count as what must not be given back. */
const KINDS = ['env', 'script', 'stage', 'params', 'plan'] as const satisfies readonly BlobKind[];

const HASH = /^[0-9a-f]{64}$/;
const DRAFT = '.tmp';
/** Younger than this is young enough: nothing is written for every read. */
const YOUNG_MS = 300_000;

/**
 * Blobs as files `<folder>/<kind>/<hash>`.
 * @param folder made when there is none; one process at a time may use it
 */
export async function openBlobs(folder: string): Promise<Blobs> {
  try {
    for (const kind of KINDS) {
      await mkdir(join(folder, kind), { recursive: true, mode: 0o700 });
      await removeDrafts(join(folder, kind));
    }
    await syncFolder(folder);
    await syncFolder(dirname(folder));
  } catch (error) {
    throw toStoreError(error, folder);
  }
  // Whoever makes a blob young and whoever removes it because it is old take turns.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  };
  return {
    put: async (kind, bytes) => {
      const hash = hashOf(bytes);
      try {
        await write(join(folder, kind), hash, bytes);
        // It was there, and was removed just now.
        if (!(await rejuvenate(join(folder, kind, hash), inTurn))) await write(join(folder, kind), hash, bytes);
      } catch (error) {
        throw toStoreError(error, folder);
      }
      return hash;
    },
    get: async (hash) => {
      if (!HASH.test(hash)) return undefined;
      for (const kind of KINDS) {
        const bytes = await read(folder, kind, hash);
        if (bytes === undefined) continue;
        const isThere = await rejuvenate(join(folder, kind, hash), inTurn);
        if (isThere) return { kind, bytes };
      }
      return undefined;
    },
    has: async (kind, hash) => HASH.test(hash) && (await rejuvenate(join(folder, kind, hash), inTurn)),
    list: async () => (await Promise.all(KINDS.map((kind) => listKind(folder, kind)))).flat(),
    remove: ({ kind, hash }, minAgeMs) =>
      inTurn(async () => {
        const path = join(folder, kind, hash);
        const ageMs = HASH.test(hash) ? await ageOf(path) : undefined;
        if (ageMs === undefined || ageMs < minAgeMs) return false;
        await rm(path, { force: true });
        return true;
      }),
  };
}

/** Undefined when there is none. */
async function ageOf(path: string): Promise<number | undefined> {
  const found = await lstat(path).catch(() => undefined);
  return found === undefined ? undefined : Math.max(0, Date.now() - found.mtimeMs);
}

/** False when it is gone. */
async function rejuvenate(path: string, inTurn: <T>(work: () => Promise<T>) => Promise<T>): Promise<boolean> {
  const ageMs = await ageOf(path);
  if (ageMs === undefined || ageMs < YOUNG_MS) return ageMs !== undefined;
  const now = new Date();
  return await inTurn(() =>
    utimes(path, now, now).then(
      () => true,
      () => false,
    ),
  );
}

async function listKind(folder: string, kind: BlobKind): Promise<StoredBlob[]> {
  const blobs: StoredBlob[] = [];
  for (const hash of await readdir(join(folder, kind))) {
    const found = HASH.test(hash) ? await lstat(join(folder, kind, hash)).catch(() => undefined) : undefined;
    if (found === undefined) continue;
    blobs.push({ kind, hash, bytes: found.size, ageMs: Math.max(0, Date.now() - found.mtimeMs) });
  }
  return blobs;
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function write(folder: string, hash: string, bytes: Uint8Array): Promise<void> {
  const path = join(folder, hash);
  const found = await readBytes(path).catch(() => undefined);
  if (found === undefined || hashOf(found) !== hash) {
    const draft = `${path}.${randomBytes(6).toString('hex')}${DRAFT}`;
    try {
      await writeDurably(draft, bytes);
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }
  // Also when it was there: another put of the same bytes may not have come this far yet.
  await syncFolder(folder);
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function read(folder: string, kind: BlobKind, hash: string): Promise<Uint8Array | undefined> {
  const path = join(folder, kind, hash);
  let bytes: Uint8Array;
  try {
    bytes = await readBytes(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw toStoreError(error, path);
  }
  if (hashOf(bytes) !== hash) throw new SpawnError('STORE_FAILED', { why: `${path} does not hold what was stored` });
  return bytes;
}

async function readBytes(path: string): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** What a process that died while writing left behind. */
async function removeDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.endsWith(DRAFT)) await rm(join(folder, name), { force: true });
  }
}
