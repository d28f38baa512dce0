import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { LOG_HEADER_BYTES, LogStream, readLogHeader, segmentFileName } from '../../core/log-record.ts';
import type { Results } from '../log-reader.ts';
import { hasLog, SEQUENCES } from './segment-cursor.ts';

/** Results of short tasks lie close together: one read serves many of them. Several workers, or slots of one, write in turns. */
const BLOCK_BYTES = 256 * 1024;
const MOST_BLOCKS = 32;
/** A value, the list of its files, and their headers; more is no result. */
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * Reads results out of the segments that workers wrote: records of the stream RESULT, one behind the other, which hold one JSON object
 * `{"value":…,"files":[…],"message":…}` of which each part may be missing.
 * @param logs the folder with one folder a job
 */
export function openResults(logs: string): Results {
  const blocks = new Blocks();
  return {
    async read(range) {
      const { jobId, sessionId, resultSegment, resultOffset, resultBytes } = range;
      if (!hasLog(resultSegment) || resultBytes > MOST_BYTES) return undefined;
      const name = segmentFileName(`${sessionId}-${Math.floor(resultSegment / SEQUENCES)}`, resultSegment % SEQUENCES);
      const bytes = await blocks.read(join(logs, String(jobId), name), resultOffset, resultBytes);
      return bytes === undefined ? undefined : dataOf(bytes, range.fence);
    },
  };
}

/** The last blocks of files that were read. */
class Blocks {
  readonly #kept = new Map<string, Uint8Array>();

  /** Undefined when there is less. */
  async read(path: string, offset: number, length: number): Promise<Uint8Array | undefined> {
    const end = offset + length;
    const parts: Uint8Array[] = [];
    for (let at = offset; at < end; ) {
      const number = Math.floor(at / BLOCK_BYTES);
      const from = at - number * BLOCK_BYTES;
      const to = Math.min(BLOCK_BYTES, end - number * BLOCK_BYTES);
      const key = `${number}/${path}`;
      let block = this.#kept.get(key);
      // One that was the last of its file may have grown.
      if (block === undefined || block.byteLength < to) block = await this.#fetch(key, path, number);
      if (block === undefined || block.byteLength < to) return undefined;
      parts.push(block.subarray(from, to));
      at += to - from;
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }

  async #fetch(key: string, path: string, number: number): Promise<Uint8Array | undefined> {
    const block = await readAt(path, number * BLOCK_BYTES, BLOCK_BYTES);
    this.#kept.delete(key);
    if (block === undefined) return undefined;
    this.#kept.set(key, block);
    if (this.#kept.size > MOST_BLOCKS) this.#kept.delete(this.#kept.keys().next().value!);
    return block;
  }
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
