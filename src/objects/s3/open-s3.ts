import type { S3Access } from '../../api/data.ts';
import { connect } from './connect.ts';
import { copyObject } from './copy.ts';
import { findObject } from './find.ts';
import { listObjects } from './list.ts';
import { putObject } from './put.ts';
import { readObject } from './read.ts';
import { withRetries } from './retries.ts';
import type { S3 } from './s3.ts';
import { s3Uri } from './s3-uri.ts';
import { abortOf } from './world.ts';

export interface S3Options {
  /** For secrets by reference; default that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** For errors: the field that has the access; default `s3`. */
  readonly where?: string;
  /** How long a server may be away; default 2 minutes. */
  readonly patienceMs?: number;
  /** Bytes of the parts of large objects; default 8 MiB, S3 takes no less than 5 MiB. */
  readonly partBytes?: number;
  /** Objects larger than this are copied in parts; default 5 GiB, the most that S3 copies at once. */
  readonly copyBytes?: number;
}

const PATIENCE_MS = 120_000;
const PART_BYTES = 8 * 1024 * 1024;
const COPY_BYTES = 5 * 1024 ** 3;

/** Errors: SpawnError BAD_REQUEST, SECRET_MISSING. Nothing is sent before the first method is called. */
export async function openS3(access: S3Access, options: S3Options = {}): Promise<S3> {
  const { env = process.env, where = 's3', patienceMs = PATIENCE_MS } = options;
  const { partBytes = PART_BYTES, copyBytes = COPY_BYTES } = options;
  const { sdk, client } = await connect(access, env, where);
  const world = { sdk, client, patienceMs };
  return {
    list: (prefix, more = {}) => listObjects(world, prefix, more),
    find: (place, signal) => findObject(world, place, signal),
    read: (place, more) => readObject(world, place, more),
    put: (place, body, more = {}) => putObject({ ...world, partBytes }, place, body, more),
    remove: async ({ bucket, key }, signal) => {
      const command = new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key });
      const action = { uri: s3Uri(bucket, key), doing: 'remove' };
      await withRetries(() => client.send(command, abortOf(signal)), action, patienceMs, signal);
    },
    copy: (from, to, signal) => copyObject({ ...world, copyBytes }, from, to, signal),
    close: () => client.destroy(),
  };
}
