import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { SpawnError } from '../../core/errors.ts';
import type { Action } from '../patience.ts';
import { nameOf, statusOf } from './refusals.ts';
import { withRetries } from './retries.ts';
import type { S3Object } from './s3.ts';
import { type S3Place, s3Uri } from './s3-uri.ts';
import { abortOf, type World } from './world.ts';

export async function findObject(world: World, place: S3Place, signal?: AbortSignal): Promise<S3Object | undefined> {
  const { sdk, client, patienceMs } = world;
  const { bucket, key } = place;
  const action = { uri: s3Uri(bucket, key), doing: 'look at' };
  const command = new sdk.HeadObjectCommand({ Bucket: bucket, Key: key });
  const look = async () => {
    try {
      return await client.send(command, abortOf(signal));
    } catch (error) {
      return await explain(world, place, error, signal);
    }
  };
  const found = await withRetries(look, action, patienceMs, signal);
  return found === undefined ? undefined : toObject(found, key, action);
}

function toObject(
  found: Pick<HeadObjectCommandOutput, 'ContentLength' | 'ETag' | 'LastModified'>,
  key: string,
  action: Action,
): S3Object {
  const { ContentLength: size, ETag: etag, LastModified: time } = found;
  if (size === undefined || etag === undefined || time === undefined) {
    throw new SpawnError('STORAGE_REFUSED', { ...action, why: 'the answer lacks a size, etag or time' });
  }
  return { key, size, etag, mtimeMs: time.getTime() };
}

/** The answer to HEAD has no body that says what is wrong; that to GET has. */
async function explain(
  world: World,
  { bucket, key }: S3Place,
  error: unknown,
  signal?: AbortSignal,
): Promise<undefined> {
  const status = statusOf(error);
  if (status === undefined || status >= 500) throw error;
  try {
    const command = new world.sdk.GetObjectCommand({ Bucket: bucket, Key: key, Range: 'bytes=0-0' });
    const { Body } = await world.client.send(command, abortOf(signal));
    (Body as { destroy?: () => void } | undefined)?.destroy?.();
  } catch (told) {
    if (nameOf(told) === 'NoSuchKey') return undefined;
    throw told;
  }
  // It can be read now: it was put there in between.
  throw Object.assign(new Error('came while it was looked at'), { name: 'OperationAborted' });
}
