import type { Readable } from 'node:stream';
import { SpawnError } from '../../core/errors.ts';
import { Patience } from '../patience.ts';
import { CutShort, nameOf, statusOf } from './refusals.ts';
import { S3_JUDGE } from './retries.ts';
import type { ReadOptions } from './s3.ts';
import { type S3Place, s3Uri } from './s3-uri.ts';
import { abortOf, type World } from './world.ts';

/** The reader waits for bytes and none come for so long: the connection is dead. */
const SILENCE_MS = 60_000;

export async function* readObject(
  world: World,
  { bucket, key }: S3Place,
  { from, to, etag, signal }: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const action = { uri: s3Uri(bucket, key), doing: 'read' };
  const patience = new Patience(world.patienceMs, S3_JUDGE);
  let at = from;
  let expected = etag;
  while (at < to) {
    signal?.throwIfAborted();
    let body: Readable | undefined;
    try {
      const opened = await openRange(world, { bucket, key }, { from: at, to, expected, signal });
      body = opened.body;
      expected ??= opened.etag;
      for await (const piece of whileAlive(body, signal)) {
        if (piece.length > to - at)
          throw new SpawnError('STORAGE_REFUSED', { ...action, why: 'more bytes came than asked for' });
        at += piece.length;
        patience.renew();
        yield piece;
      }
      if (at < to) throw new CutShort(`the answer ended ${to - at} bytes before its end`);
    } catch (error) {
      if (isOther(error)) {
        const found = nameOf(error) === 'NoSuchKey' ? 'no object' : 'another one';
        throw new SpawnError('INPUT_CHANGED', { uri: action.uri, expected: `etag ${expected}`, found });
      }
      await patience.again(error, action, signal);
    } finally {
      // Also when the reader has had enough.
      body?.destroy();
    }
  }

  /** What was there when it was planned, or when reading began, is there no more. */
  function isOther(error: unknown): boolean {
    return expected !== undefined && (statusOf(error) === 412 || nameOf(error) === 'NoSuchKey');
  }
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly expected: string | undefined;
  readonly signal: AbortSignal | undefined;
}

async function openRange(
  { sdk, client }: World,
  { bucket, key }: S3Place,
  { from, to, expected, signal }: Range,
): Promise<{ body: Readable; etag: string | undefined }> {
  const command = new sdk.GetObjectCommand({
    Bucket: bucket,
    Key: key,
    Range: `bytes=${from}-${to - 1}`,
    ...(expected !== undefined && { IfMatch: expected }),
  });
  const { Body, ContentRange, ETag } = await client.send(command, abortOf(signal));
  const body = Body as Readable;
  const refuse = (code: 'STORAGE_REFUSED' | 'INPUT_CHANGED', expectedText: string, found: string) => {
    body.destroy();
    const uri = s3Uri(bucket, key);
    const why = `expected ${expectedText}, found ${found}`;
    return code === 'STORAGE_REFUSED'
      ? new SpawnError(code, { uri, doing: 'read', why })
      : new SpawnError(code, { uri, expected: expectedText, found });
  };
  // Not every server heeds If-Match.
  if (expected !== undefined && ETag !== expected) throw refuse('INPUT_CHANGED', `etag ${expected}`, `etag ${ETag}`);
  if (!ContentRange?.startsWith(`bytes ${from}-${to - 1}/`)) {
    throw refuse(
      'STORAGE_REFUSED',
      `bytes ${from}-${to - 1}`,
      ContentRange ?? 'an answer that does not say which bytes it has',
    );
  }
  return { body, etag: ETag };
}

/** Ends with an error when nothing comes while the reader waits; the time that the reader takes does not count. */
async function* whileAlive(
  body: Readable,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const stop = () => body.destroy(signal!.reason as Error);
  signal?.addEventListener('abort', stop, { once: true });
  const pieces = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const silence = setTimeout(() => body.destroy(new CutShort(`nothing came for ${SILENCE_MS} ms`)), SILENCE_MS);
      const { value, done } = await pieces.next().finally(() => clearTimeout(silence));
      if (done === true) return;
      yield value;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
