import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';

/** About a millisecond of hashing. */
const READ_BYTES = 1024 * 1024;

/** Reads a regular file once, whole. Its bytes are on disk after it. */
export async function hashFile(path: string): Promise<{ readonly size: number; readonly sha256: string }> {
  const file = await openRegular(path);
  try {
    const hash = createHash('sha256');
    const block = Buffer.allocUnsafeSlow(READ_BYTES);
    let size = 0;
    for (;;) {
      const { bytesRead } = await file.read(block, 0, READ_BYTES, size);
      if (bytesRead === 0) break;
      hash.update(block.subarray(0, bytesRead));
      size += bytesRead;
      // What else the worker has to do comes in between.
      await setImmediate();
    }
    await file.sync();
    return { size, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
}

/** No link, and nothing that makes whoever opens it wait. */
async function openRegular(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error(`${path}: expected a file, found something else`);
}
