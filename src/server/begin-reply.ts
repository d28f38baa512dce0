import { setTimeout as wait } from 'node:timers/promises';
import { isSpawnError } from '../core/errors.ts';

/**
 * The body of a reply of NDJSON that may fail after it has begun. Waits for its first piece, but no longer than `patienceMs`, and throws
 * what goes wrong until then; what goes wrong later is told in a last line, an ErrorReply.
 */
export async function beginReply(
  pieces: AsyncIterable<Uint8Array>,
  patienceMs: number,
): Promise<AsyncGenerator<Uint8Array>> {
  const iterator = pieces[Symbol.asyncIterator]();
  const first = iterator.next();
  const early = new AbortController();
  try {
    await Promise.race([first, wait(patienceMs, undefined, { signal: early.signal, ref: false })]);
  } finally {
    early.abort();
  }
  return goOn(iterator, first);
}

async function* goOn(
  iterator: AsyncIterator<Uint8Array>,
  first: Promise<IteratorResult<Uint8Array>>,
): AsyncGenerator<Uint8Array> {
  try {
    for (let next = await first; next.done !== true; next = await iterator.next()) yield next.value;
  } catch (error) {
    if (!isSpawnError(error)) throw error;
    yield new TextEncoder().encode(`${JSON.stringify({ error })}\n`);
  } finally {
    await iterator.return?.();
  }
}
