import { SpawnError } from '../../core/errors.ts';
import { withRetries } from './retries.ts';
import type { ListOptions, S3Object } from './s3.ts';
import { type S3Place, s3Uri } from './s3-uri.ts';
import { abortOf, type World } from './world.ts';

export async function* listObjects(
  world: World,
  { bucket, key: prefix }: S3Place,
  { signal, after }: ListOptions,
): AsyncGenerator<S3Object, void, undefined> {
  const { sdk, client, patienceMs } = world;
  const action = { uri: s3Uri(bucket, prefix), doing: 'list' };
  let token: string | undefined;
  do {
    const command = new sdk.ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix,
      // XML cannot say every character that a key can have.
      EncodingType: 'url',
      ...(token === undefined ? after !== undefined && { StartAfter: after } : { ContinuationToken: token }),
    });
    const page = await withRetries(() => client.send(command, abortOf(signal)), action, patienceMs, signal);
    const isEncoded = page.EncodingType === 'url';
    for (const { Key, Size, ETag, LastModified } of page.Contents ?? []) {
      if (Key === undefined || Size === undefined || ETag === undefined || LastModified === undefined) {
        throw new SpawnError('STORAGE_REFUSED', { ...action, why: 'the answer lacks a key, size, etag or time' });
      }
      const key = isEncoded ? decodeURIComponent(Key.replaceAll('+', ' ')) : Key;
      yield { key, size: Size, etag: ETag, mtimeMs: LastModified.getTime() };
    }
    const next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    if (page.IsTruncated === true && (next === undefined || next === token)) {
      throw new SpawnError('STORAGE_REFUSED', {
        ...action,
        why: 'the listing goes on, but the answer does not say where',
      });
    }
    token = next;
  } while (token !== undefined);
}
