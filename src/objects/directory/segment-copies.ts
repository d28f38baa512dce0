import { constants } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SpawnError } from '../../core/errors.ts';
import { segmentFileName } from '../../core/log-record.ts';
import type { SegmentCopies, SegmentId } from '../log-reader.ts';
import { toStoreError } from './disk.ts';
import { SEQUENCES } from './segment-cursor.ts';

/** A segment is closed at 64 MiB; one record more may follow, and a worker may be configured otherwise. */
const MAX_SEGMENT_BYTES = 1024 ** 3;

/**
 * Copies of the segments that workers write elsewhere, where the reader looks for them. A copy only grows, and its length says what is
 * there: pieces may come twice, and one that would leave a gap is not taken.
 * @param logs the folder with one folder a job
 */
export function openSegmentCopies(logs: string): SegmentCopies {
  /** Appends to one file follow each other. */
  const busy = new Map<string, Promise<unknown>>();
  /** Told after each append to a file. */
  const awaited = new Map<string, Set<() => void>>();
  return {
    append(id, offset, bytes) {
      if (offset + bytes.byteLength > MAX_SEGMENT_BYTES) {
        const expected = `an end within ${MAX_SEGMENT_BYTES} bytes`;
        throw new SpawnError('BAD_REQUEST', { where: 'query.offset', expected, found: offset });
      }
      const path = pathOf(logs, id);
      const appended = (busy.get(path) ?? Promise.resolve()).then(() => append(logs, id, path, offset, bytes));
      const settled = appended.catch(() => {});
      busy.set(path, settled);
      void settled.then(() => {
        if (busy.get(path) === settled) busy.delete(path);
        for (const tell of awaited.get(path) ?? []) tell();
      });
      return appended;
    },
    async reach(id, bytes, signal) {
      const path = pathOf(logs, id);
      let wake = (): void => {};
      const tell = (): void => wake();
      const tellers = awaited.get(path) ?? new Set();
      awaited.set(path, tellers.add(tell));
      signal.addEventListener('abort', tell);
      try {
        while (!signal.aborted) {
          // Made before looking: what is added meanwhile must not be missed.
          const added = new Promise<void>((resolve) => {
            wake = resolve;
          });
          if ((await sizeOf(path)) >= bytes) return;
          if (!signal.aborted) await added;
        }
      } finally {
        signal.removeEventListener('abort', tell);
        tellers.delete(tell);
        if (tellers.size === 0 && awaited.get(path) === tellers) awaited.delete(path);
      }
    },
  };
}

function pathOf(logs: string, { jobId, sessionId, segment }: SegmentId): string {
  const tag = `${sessionId}-${Math.floor(segment / SEQUENCES)}`;
  return join(logs, String(jobId), segmentFileName(tag, segment % SEQUENCES));
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function append(
  logs: string,
  { jobId }: SegmentId,
  path: string,
  offset: number,
  bytes: Uint8Array,
): Promise<number> {
  try {
    await mkdir(join(logs, String(jobId)), { recursive: true, mode: 0o700 });
    // Tasks of this machine run as the same user and may put anything there: no links, and no waiting for the other end of a pipe.
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(path, flags, 0o600);
    try {
      const { size } = await file.stat();
      const fresh = bytes.subarray(Math.max(0, size - offset));
      if (offset > size || fresh.byteLength === 0) return size;
      const { bytesWritten } = await file.write(fresh, 0, fresh.byteLength, size);
      return size + bytesWritten;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw toStoreError(error, path);
  }
}
