import { SpawnError } from '../../core/errors.ts';

/** Where an object is, or where a listing begins. */
export interface S3Place {
  readonly bucket: string;
  /** Empty for the whole bucket. */
  readonly key: string;
}

/** S3: "Object key names", UTF-8 bytes. */
const LONGEST_KEY = 1_024;
/** S3: "Bucket naming rules", with the older names that us-east-1 still has. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/;

/** The key is taken as it is: `s3://b/a%20b` is the key `a%20b`, and `s3://b/a b` is `a b`. */
export function s3Uri(bucket: string, key: string): string {
  return `s3://${bucket}/${key}`;
}

/**
 * @param where for the error: the field or flag that has the address
 * @throws SpawnError BAD_REQUEST
 */
export function parseS3Uri(uri: string, where: string): S3Place {
  const refuse = (expected: string, found: unknown) => new SpawnError('BAD_REQUEST', { where, expected, found });
  const match = /^s3:\/\/([^/]*)(?:\/(.*))?$/s.exec(uri);
  if (match === null) throw refuse('s3://BUCKET/KEY', uri);
  const [, bucket = '', key = ''] = match;
  if (!BUCKET.test(bucket))
    throw refuse('the name of a bucket (3 to 63 letters, digits, dots, hyphens) after s3://', uri);
  if (Buffer.byteLength(key) > LONGEST_KEY) {
    throw refuse(`a key of at most ${LONGEST_KEY} bytes`, `${Buffer.byteLength(key)} bytes`);
  }
  if (key.split('/').some((name) => name === '.' || name === '..'))
    throw refuse('a key without "." and ".." between slashes', uri);
  return { bucket, key };
}
