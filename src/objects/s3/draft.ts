import { createHash, type Hash } from 'node:crypto';
import type { Action } from '../patience.ts';
import type { S3Place } from './s3-uri.ts';

/** What is being written, and what is known of its bytes so far. */
export interface Draft {
  readonly place: S3Place;
  readonly action: Action;
  readonly type: string;
  readonly hash: Hash;
  readonly signal: AbortSignal | undefined;
}

/** MD5 as S3 takes it beside bytes, to refuse those that were changed on their way. */
export function md5Of(bytes: Uint8Array): Buffer {
  return createHash('md5').update(bytes).digest();
}
