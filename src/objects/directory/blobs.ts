import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SpawnError } from '../../core/errors.ts';
import type { Blobs } from '../log-reader.ts';
import { syncFolder, toStoreError } from './disk.ts';

/** In the order of looking: bytes stored as both count as what must not be given back. */
const KINDS = ['env', 'script'] as const;
type Kind = (typeof KINDS)[number];

const HASH = /^[0-9a-f]{64}$/;
const DRAFT = '.tmp';

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
  return {
    put: async (kind, bytes) => {
      const hash = hashOf(bytes);
      try {
        await write(join(folder, kind), hash, bytes);
      } catch (error) {
        throw toStoreError(error, folder);
      }
      return hash;
    },
    get: async (hash) => {
      if (!HASH.test(hash)) return undefined;
      for (const kind of KINDS) {
        const bytes = await read(folder, kind, hash);
        if (bytes !== undefined) return { kind, bytes };
      }
      return undefined;
    },
  };
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

async function read(folder: string, kind: Kind, hash: string): Promise<Uint8Array | undefined> {
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
