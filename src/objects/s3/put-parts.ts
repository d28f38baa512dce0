import { createHash } from 'node:crypto';
import { SpawnError } from '../../core/errors.ts';
import { type Draft, md5Of } from './draft.ts';
import { findObject } from './find.ts';
import { nameOf } from './refusals.ts';
import { withRetries } from './retries.ts';
import type { S3Written } from './s3.ts';
import { abortOf, type World } from './world.ts';

/** Parts that are on their way at a time; each is held in memory. */
const PARTS_AT_ONCE = 2;
/** How long a failed upload is asked to be forgotten. */
const ABORT_MS = 10_000;

interface Part {
  readonly number: number;
  readonly bytes: number;
  readonly etag: string;
  readonly md5: Buffer;
}

/** In parts that are seen as one object once all are there. What fails is taken away again, as long as the storage can be reached. */
export async function putParts(
  world: World,
  draft: Draft,
  first: readonly Uint8Array[],
  more: AsyncGenerator<Uint8Array, void, undefined>,
): Promise<S3Written> {
  const { place, action, type, signal } = draft;
  const target = { Bucket: place.bucket, Key: place.key };
  const create = new world.sdk.CreateMultipartUploadCommand({ ...target, ContentType: type });
  const begun = await withRetries(() => world.client.send(create, abortOf(signal)), action, world.patienceMs, signal);
  const { UploadId: uploadId } = begun;
  if (uploadId === undefined)
    throw new SpawnError('STORAGE_REFUSED', { ...action, why: 'the answer lacks an upload id' });
  try {
    const parts = await sendParts(world, draft, uploadId, chain(first, more));
    return await complete(world, draft, uploadId, parts);
  } catch (error) {
    const forget = new world.sdk.AbortMultipartUploadCommand({ ...target, UploadId: uploadId });
    // What stays behind when this fails too is never seen as an object.
    await withRetries(() => world.client.send(forget), action, Math.min(ABORT_MS, world.patienceMs), undefined).catch(
      () => undefined,
    );
    throw error;
  }
}

async function* chain(
  first: readonly Uint8Array[],
  more: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* first;
  yield* more;
}

async function sendParts(
  world: World,
  draft: Draft,
  uploadId: string,
  pieces: AsyncGenerator<Uint8Array, void, undefined>,
): Promise<Part[]> {
  const parts: Part[] = [];
  const failed = new AbortController();
  const signal = draft.signal === undefined ? failed.signal : AbortSignal.any([failed.signal, draft.signal]);
  let count = 0;
  // A generator gives its pieces one after the other, also to several that ask at once.
  const sendSome = async (): Promise<void> => {
    while (!failed.signal.aborted) {
      const { done, value } = await pieces.next();
      if (done === true) return;
      parts.push(await sendPart(world, { ...draft, signal }, uploadId, ++count, value));
    }
  };
  const sending = Array.from({ length: PARTS_AT_ONCE }, () => sendSome().catch((error) => failed.abort(error)));
  // Not before all have stopped: a part that comes after its upload was given up would stay behind.
  await Promise.all(sending);
  await pieces.return();
  if (failed.signal.aborted) throw failed.signal.reason;
  return parts.toSorted((a, b) => a.number - b.number);
}

async function sendPart(
  world: World,
  draft: Draft,
  uploadId: string,
  number: number,
  bytes: Uint8Array,
): Promise<Part> {
  const { place, action, signal } = draft;
  const md5 = md5Of(bytes);
  const command = new world.sdk.UploadPartCommand({
    Bucket: place.bucket,
    Key: place.key,
    UploadId: uploadId,
    PartNumber: number,
    Body: bytes,
    ContentLength: bytes.length,
    ContentMD5: md5.toString('base64'),
  });
  const sent = await withRetries(() => world.client.send(command, abortOf(signal)), action, world.patienceMs, signal);
  if (sent.ETag === undefined) throw new SpawnError('STORAGE_REFUSED', { ...action, why: 'the answer lacks an etag' });
  return { number, bytes: bytes.length, etag: sent.ETag, md5 };
}

async function complete(world: World, draft: Draft, uploadId: string, parts: readonly Part[]): Promise<S3Written> {
  const { place, action, hash, signal } = draft;
  const size = parts.reduce((sum, part) => sum + part.bytes, 0);
  const command = new world.sdk.CompleteMultipartUploadCommand({
    Bucket: place.bucket,
    Key: place.key,
    UploadId: uploadId,
    MultipartUpload: { Parts: parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })) },
  });
  const etag = etagOf(parts);
  let wasAsked = false;
  const finish = async () => {
    try {
      const done = await world.client.send(command, abortOf(signal));
      return done.ETag;
    } catch (error) {
      // An earlier try may have worked although its answer was lost.
      if (wasAsked && nameOf(error) === 'NoSuchUpload') return etag;
      wasAsked = true;
      throw error;
    }
  };
  const said = await withRetries(finish, action, world.patienceMs, signal);
  const found = await findObject(world, place, signal);
  if (found === undefined || found.size !== size || found.etag !== (said ?? etag)) {
    const what = found === undefined ? 'no object' : `${found.size} bytes with etag ${found.etag}`;
    const why = `expected ${size} bytes with etag ${said ?? etag} after it was written, found ${what}`;
    throw new SpawnError('STORAGE_REFUSED', { ...action, why });
  }
  return { size, etag: found.etag, sha256: hash.digest('hex') };
}

/** As S3 makes it of objects that came in parts (unless they are encrypted with keys of KMS): MD5 of the MD5s, and how many. */
function etagOf(parts: readonly Part[]): string {
  const all = createHash('md5');
  for (const { md5 } of parts) all.update(md5);
  return `"${all.digest('hex')}-${parts.length}"`;
}
