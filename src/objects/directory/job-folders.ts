import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { toStoreError } from './disk.ts';

/** Jobs that have a folder of logs, in no order. */
export async function listJobFolders(logs: string): Promise<number[]> {
  try {
    const names = await readdir(logs);
    return names.filter((name) => /^[1-9]\d{0,15}$/.test(name)).map(Number);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw toStoreError(error, logs);
  }
}

/** Bytes of all files in a folder; 0 when there is none. */
export async function sizeOfFolder(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  let bytes = 0;
  for (const name of names) {
    const path = join(folder, name);
    const found = await lstat(path).catch(() => undefined);
    if (found?.isDirectory()) bytes += await sizeOfFolder(path);
    else bytes += found?.size ?? 0;
  }
  return bytes;
}

export async function removeFolder(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    throw toStoreError(error, folder);
  }
}
