import { createHash } from 'node:crypto';
import { SpawnError } from '../../core/errors.ts';
import { type Draft, md5Of } from './draft.ts';
import { putParts } from './put-parts.ts';
import { withRetries } from './retries.ts';
import type { PutOptions, S3Written } from './s3.ts';
import { type S3Place, s3Uri } from './s3-uri.ts';
import { abortOf, type World } from './world.ts';

export interface PutWorld extends World {
  readonly partBytes: number;
}

/** S3: "Multipart upload limits". */
const MOST_PARTS = 10_000;
const LARGEST_OBJECT = 5 * 1024 ** 4;

export async function putObject(
  world: PutWorld,
  place: S3Place,
  body: Uint8Array | AsyncIterable<Uint8Array>,
  { signal, size, type = 'application/octet-stream' }: PutOptions,
): Promise<S3Written> {
  const action = { uri: s3Uri(place.bucket, place.key), doing: 'write' };
  const expected = body instanceof Uint8Array ? body.length : size;
  if (expected !== undefined && expected > LARGEST_OBJECT) {
    throw new SpawnError('STORAGE_REFUSED', { ...action, why: `expected at most 5 TiB, found ${expected} bytes` });
  }
  const partBytes = Math.max(world.partBytes, Math.ceil((expected ?? 0) / MOST_PARTS));
  const draft: Draft = { place, action, type, hash: createHash('sha256'), signal };
  const parts = inParts(body, { partBytes, expected, draft });
  const first = await parts.next();
  if (first.done === true) return await putWhole(world, draft, new Uint8Array());
  const second = await parts.next();
  if (second.done === true) return await putWhole(world, draft, first.value);
  return await putParts(world, draft, [first.value, second.value], parts);
}

async function putWhole(world: World, draft: Draft, bytes: Uint8Array): Promise<S3Written> {
  const { place, action, type, hash, signal } = draft;
  const command = new world.sdk.PutObjectCommand({
    Bucket: place.bucket,
    Key: place.key,
    Body: bytes,
    ContentLength: bytes.length,
    ContentMD5: md5Of(bytes).toString('base64'),
    ContentType: type,
  });
  const send = () => world.client.send(command, abortOf(signal));
  const { ETag: etag } = await withRetries(send, action, world.patienceMs, signal);
  if (etag === undefined) throw new SpawnError('STORAGE_REFUSED', { ...action, why: 'the answer lacks an etag' });
  return { size: bytes.length, etag, sha256: hash.digest('hex') };
}

/** All parts but the last are of the same size, which some storages ask for. Their bytes are hashed as they go by. */
async function* inParts(
  body: Uint8Array | AsyncIterable<Uint8Array>,
  { partBytes, expected, draft }: { partBytes: number; expected: number | undefined; draft: Draft },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { action, hash, signal } = draft;
  const refuse = (why: string) => new SpawnError('STORAGE_REFUSED', { ...action, why });
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let size = 0;
  for await (const piece of body instanceof Uint8Array ? [body] : body) {
    signal?.throwIfAborted();
    hash.update(piece);
    size += piece.length;
    if (expected !== undefined && size > expected) throw refuse(`expected ${expected} bytes, found more`);
    if (size > partBytes * MOST_PARTS) {
      throw refuse(`expected at most ${partBytes * MOST_PARTS} bytes when the size is not known before, found more`);
    }
    for (let rest = piece; rest.length > 0; ) {
      const taken = rest.subarray(0, partBytes - waitingBytes);
      waiting.push(taken);
      waitingBytes += taken.length;
      rest = rest.subarray(taken.length);
      if (waitingBytes < partBytes) continue;
      yield joined(waiting);
      waiting = [];
      waitingBytes = 0;
    }
  }
  if (expected !== undefined && size < expected) throw refuse(`expected ${expected} bytes, found ${size}`);
  if (waitingBytes > 0) yield joined(waiting);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}
