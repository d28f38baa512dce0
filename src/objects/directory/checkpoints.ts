import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SpawnError } from '../../core/errors.ts';
import type { Checkpoints } from '../log-reader.ts';
import { syncFolder, toStoreError } from './disk.ts';
import { listJobFolders, removeFolder, sizeOfFolder } from './job-folders.ts';

const DRAFT = '.tmp';

/**
 * Checkpoints as files `<folder>/<job>/<position>`, each whole.
 * @param folder made when there is none; one process at a time may use it
 */
export async function openCheckpoints(folder: string): Promise<Checkpoints> {
  const known = new Map<number, Set<number>>();
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const job of await listJobFolders(folder)) known.set(job, await readPositions(join(folder, String(job))));
  } catch (error) {
    throw toStoreError(error, folder);
  }
  // What is put of one task is taken in one after another.
  const turns = new Map<string, Promise<unknown>>();
  const inTurn = async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const run = (turns.get(key) ?? Promise.resolve()).then(work);
    const done = run.catch(() => undefined);
    turns.set(key, done);
    try {
      return await run;
    } finally {
      if (turns.get(key) === done) turns.delete(key);
    }
  };
  return {
    async put(jobId, position, chunks, { most, isCurrent }) {
      const own = join(folder, String(jobId));
      const draft = join(own, `${position}.${randomBytes(6).toString('hex')}${DRAFT}`);
      try {
        await mkdir(own, { recursive: true, mode: 0o700 });
        await writeDraft(draft, chunks, most);
        return await inTurn(`${jobId}/${position}`, async () => {
          if (!isCurrent()) return false;
          await rename(draft, join(own, String(position)));
          await syncFolder(own);
          known.set(jobId, (known.get(jobId) ?? new Set()).add(position));
          return true;
        });
      } catch (error) {
        throw error instanceof SpawnError ? error : toStoreError(error, own);
      } finally {
        await rm(draft, { force: true });
      }
    },
    async read(jobId, position) {
      try {
        const path = join(folder, String(jobId), String(position));
        const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
        const { size } = await file.stat();
        return { bytes: size, chunks: file.createReadStream() };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw toStoreError(error, folder);
      }
    },
    positions: (jobId) => known.get(jobId) ?? NONE,
    async drop(jobId, position) {
      await inTurn(`${jobId}/${position}`, async () => {
        known.get(jobId)?.delete(position);
        await rm(join(folder, String(jobId), String(position)), { force: true });
      });
    },
    jobs: () => listJobFolders(folder),
    size: (jobId) => sizeOfFolder(join(folder, String(jobId))),
    async remove(jobId) {
      known.delete(jobId);
      await removeFolder(join(folder, String(jobId)));
    },
  };
}

const NONE: ReadonlySet<number> = new Set();

/** Positions of whole checkpoints; what was not whole when the process died is removed. */
async function readPositions(folder: string): Promise<Set<number>> {
  const positions = new Set<number>();
  for (const name of await readdir(folder)) {
    if (/^\d{1,15}$/.test(name)) positions.add(Number(name));
    else if (name.endsWith(DRAFT)) await rm(join(folder, name), { force: true });
  }
  return positions;
}

async function writeDraft(path: string, chunks: AsyncIterable<Uint8Array>, most: number): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.byteLength;
      if (bytes > most) throw new SpawnError('BODY_TOO_LARGE', { max: most, found: bytes });
      await file.writeFile(chunk);
    }
    await file.datasync();
  } finally {
    await file.close();
  }
}
