import { open } from 'node:fs/promises';
import { SpawnError } from '../../core/errors.ts';

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** STORE_FULL for a lack of space, else STORE_FAILED. */
export function toStoreError(error: unknown, path: string): SpawnError {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = `${path}: ${message}`;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  return new SpawnError(isFull ? 'STORE_FULL' : 'STORE_FAILED', { why }, { cause: error });
}
