import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { SpawnError } from '../../core/errors.ts';
import type { OpenSource, Source } from '../source.ts';
import { kindOf, unreadable } from './local-files.ts';
import { expectSame, isGone } from './same-state.ts';

/** Read at a time; the next piece is read while the last one is looked at. */
const PIECE_BYTES = 1024 * 1024;

/** Errors: SpawnError INPUT_CHANGED when it is gone, INPUT_UNREADABLE. */
export async function openFile(source: Source): Promise<OpenSource> {
  const path = source.uri;
  let file: FileHandle;
  try {
    // A fifo that came in its place must not be waited for.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw isGone(source);
    throw unreadable(source.uri, error);
  }
  const found = await file.stat();
  if (!found.isFile()) {
    await file.close();
    throw new SpawnError('INPUT_UNREADABLE', { uri: source.uri, why: `expected a file, found ${kindOf(found)}` });
  }
  return {
    source,
    read: (from, to, signal) => readPieces(source, file, { from, to, signal }),
    check: async () => {
      // By its name: what reads go to may be a file that was replaced since.
      const now = await stat(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') throw isGone(source);
        throw unreadable(source.uri, error);
      });
      expectSame(source, { uri: source.uri, size: now.size, mtimeMs: now.mtimeMs });
    },
    close: () => file.close(),
  };
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly signal: AbortSignal | undefined;
}

/** What the source has in a file. Errors: INPUT_CHANGED when the file ends before. */
export async function* readPieces(
  source: Source,
  file: FileHandle,
  { from, to, signal }: Range,
): AsyncGenerator<Uint8Array, void, undefined> {
  const readAt = async (at: number) => {
    const length = Math.min(PIECE_BYTES, to - at);
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(length), 0, length, at);
    return bytesRead === length ? buffer : buffer.subarray(0, bytesRead);
  };
  let ahead = from < to ? readAt(from) : undefined;
  try {
    for (let at = from; ahead !== undefined; ) {
      const piece = await ahead;
      signal?.throwIfAborted();
      if (piece.length === 0) {
        throw new SpawnError('INPUT_CHANGED', {
          uri: source.uri,
          expected: `${source.size} bytes`,
          found: `${at} bytes`,
        });
      }
      at += piece.length;
      ahead = at < to ? readAt(at) : undefined;
      yield piece;
    }
  } catch (error) {
    throw unreadable(source.uri, error);
  } finally {
    // The reader may have had enough, and the file be closed.
    await ahead?.catch(() => undefined);
  }
}
