import type { S3Place } from './s3-uri.ts';

/** What is known of an object without reading it. */
export interface S3Object {
  readonly key: string;
  readonly size: number;
  /** In quotes, as S3 gives it; another content has another one. */
  readonly etag: string;
  readonly mtimeMs: number;
}

export interface ListOptions {
  readonly signal?: AbortSignal;
  /** Only keys that come after it. */
  readonly after?: string;
}

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** First byte. */
  readonly from: number;
  /** The first byte that is not wanted. */
  readonly to: number;
  /** Of the object that is meant; without it, the one that is there when reading begins. */
  readonly etag?: string;
}

export interface PutOptions {
  readonly signal?: AbortSignal;
  /** Bytes, where known before: it must be right, and lets an object be larger than 80 GiB. */
  readonly size?: number;
  /** MIME type; default application/octet-stream. */
  readonly type?: string;
}

/** What was written. */
export interface S3Written {
  readonly size: number;
  readonly etag: string;
  /** Of the bytes, in hex. */
  readonly sha256: string;
}

/**
 * Objects of S3 and what speaks like it. Every method tries again by itself while a server is away or overloaded; what it
 * throws then is a SpawnError STORAGE_UNREACHABLE. Others: STORAGE_REFUSED, OBJECT_NOT_FOUND. None of them has a secret in it.
 */
export interface S3 {
  /** Objects whose key begins with a text, in the order of the bytes of their keys. */
  list(prefix: S3Place, options?: ListOptions): AsyncIterable<S3Object>;
  /** @returns undefined when the bucket has no such object */
  find(place: S3Place, signal?: AbortSignal): Promise<S3Object | undefined>;
  /**
   * Bytes of an object. A connection that ends early is taken up again at the byte where it ended.
   * @throws SpawnError INPUT_CHANGED when another content was put there
   */
  read(place: S3Place, options: ReadOptions): AsyncIterable<Uint8Array>;
  /** Writes a whole object: it is there with all its bytes, or as before. */
  put(place: S3Place, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<S3Written>;
  /** It need not be there. */
  remove(place: S3Place, signal?: AbortSignal): Promise<void>;
  /** Inside the storage, without its bytes coming here. */
  copy(from: S3Place, to: S3Place, signal?: AbortSignal): Promise<void>;
  close(): void;
}
