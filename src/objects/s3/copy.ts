import { SpawnError } from '../../core/errors.ts';
import type { Action } from '../patience.ts';
import { findObject } from './find.ts';
import { withRetries } from './retries.ts';
import type { S3Object } from './s3.ts';
import { type S3Place, s3Uri } from './s3-uri.ts';
import { abortOf, type World } from './world.ts';

export interface CopyWorld extends World {
  readonly copyBytes: number;
}

/** Copied in pieces of this size when it is too large to be copied at once; S3 takes up to 10,000 of them. */
const PIECE_BYTES = 1024 ** 3;
const ABORT_MS = 10_000;

export async function copyObject(world: CopyWorld, from: S3Place, to: S3Place, signal?: AbortSignal): Promise<void> {
  const action = { uri: s3Uri(to.bucket, to.key), doing: `copy ${s3Uri(from.bucket, from.key)} to it` };
  const found = await findObject(world, from, signal);
  if (found === undefined)
    throw new SpawnError('OBJECT_NOT_FOUND', { uri: s3Uri(from.bucket, from.key), what: 'object' });
  // It is part of a URL.
  const CopySource = [from.bucket, ...from.key.split('/')].map(encodeURIComponent).join('/');
  const target = { Bucket: to.bucket, Key: to.key };
  if (found.size > world.copyBytes) return await copyParts(world, { from, found, target, CopySource, action, signal });
  const command = new world.sdk.CopyObjectCommand({ ...target, CopySource });
  await withRetries(() => world.client.send(command, abortOf(signal)), action, world.patienceMs, signal);
}

interface LargeCopy {
  readonly from: S3Place;
  readonly found: S3Object;
  readonly target: { readonly Bucket: string; readonly Key: string };
  readonly CopySource: string;
  readonly action: Action;
  readonly signal: AbortSignal | undefined;
}

async function copyParts(
  world: CopyWorld,
  { from, found, target, CopySource, action, signal }: LargeCopy,
): Promise<void> {
  const { sdk, client, patienceMs } = world;
  const pieceBytes = Math.min(PIECE_BYTES, world.copyBytes);
  const create = new sdk.CreateMultipartUploadCommand(target);
  const { UploadId } = await withRetries(() => client.send(create, abortOf(signal)), action, patienceMs, signal);
  const upload = { ...target, UploadId };
  try {
    const parts: { PartNumber: number; ETag: string | undefined }[] = [];
    for (let at = 0; at < found.size; at += pieceBytes) {
      const PartNumber = parts.length + 1;
      const CopySourceRange = `bytes=${at}-${Math.min(at + pieceBytes, found.size) - 1}`;
      const command = new sdk.UploadPartCopyCommand({ ...upload, CopySource, PartNumber, CopySourceRange });
      const sent = await withRetries(() => client.send(command, abortOf(signal)), action, patienceMs, signal);
      parts.push({ PartNumber, ETag: sent.CopyPartResult?.ETag });
    }
    // Its parts could be of two contents. (Not every storage knows the condition that the SDK offers for this.)
    const { etag = 'no object' } = (await findObject(world, from, signal)) ?? {};
    if (etag !== found.etag) {
      const uri = s3Uri(from.bucket, from.key);
      throw new SpawnError('INPUT_CHANGED', { uri, expected: `etag ${found.etag}`, found: etag });
    }
    const complete = new sdk.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } });
    await withRetries(() => client.send(complete, abortOf(signal)), action, patienceMs, signal);
  } catch (error) {
    const forget = new sdk.AbortMultipartUploadCommand(upload);
    await withRetries(() => client.send(forget), action, Math.min(ABORT_MS, world.patienceMs), undefined).catch(
      () => undefined,
    );
    throw error;
  }
}
