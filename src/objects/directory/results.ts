import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { LOG_HEADER_BYTES, LogStream, readLogHeader, segmentFileName } from '../../core/log-record.ts';
import type { Results } from '../log-reader.ts';
import { ChunkCache, hasLog, SEQUENCES } from './segment-cursor.ts';

/** Results of short tasks lie close together: one read serves many of them. */
const READ_AHEAD_BYTES = 256 * 1024;
/** A value, the list of its files, and their headers; more is no result. */
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * Reads results out of the segments that workers wrote: records of the stream RESULT, one behind the other, which hold one JSON object
 * `{"value":…,"files":[…],"message":…}` of which each part may be missing.
 * @param logs the folder with one folder a job
 */
export function openResults(logs: string): Results {
  const cache = new ChunkCache();
  return {
    async read(range) {
      const { jobId, sessionId, resultSegment, resultOffset, resultBytes } = range;
      if (!hasLog(resultSegment) || resultBytes > MOST_BYTES) return undefined;
      const name = segmentFileName(`${sessionId}-${Math.floor(resultSegment / SEQUENCES)}`, resultSegment % SEQUENCES);
      const path = join(logs, String(jobId), name);
      let bytes = cache.from(path, resultOffset).subarray(0, resultBytes);
      if (bytes.byteLength < resultBytes) {
        const read = await readAt(path, resultOffset, Math.max(resultBytes, READ_AHEAD_BYTES));
        if (read === undefined) return undefined;
        cache.set(path, resultOffset, read);
        bytes = read.subarray(0, resultBytes);
      }
      return bytes.byteLength < resultBytes ? undefined : dataOf(bytes, range.fence);
    },
  };
}

/** Undefined when these are not the records of this attempt. */
function dataOf(bytes: Uint8Array, fence: number): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.byteLength; ) {
    const header = readLogHeader(view, at);
    if (header === null || header.fence !== fence || header.stream !== LogStream.RESULT) return undefined;
    at += LOG_HEADER_BYTES;
    pieces.push(bytes.subarray(at, at + header.length));
    at += header.length;
    if (at > bytes.byteLength) return undefined;
  }
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
}

async function readAt(path: string, offset: number, bytes: number): Promise<Uint8Array | undefined> {
  try {
    // As everywhere under this folder: no links, and no waiting for the other end of a pipe.
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const target = Buffer.allocUnsafeSlow(bytes);
      const { bytesRead } = await file.read(target, 0, bytes, offset);
      return target.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ELOOP') return undefined;
    throw error;
  }
}
