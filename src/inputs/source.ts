import type { S3Access } from '../api/data.ts';

/** What tells one state of a source's bytes from another. */
export interface SourceVersion {
  /** Bytes; always known, as a plan is made of offsets. */
  readonly size: number;
  /** When it was last changed, epoch ms with its fraction; absent where nothing reliable says so. */
  readonly mtimeMs?: number;
  /** As a server names this state of the bytes, with its quotes; absent where none is given. */
  readonly etag?: string;
}

/** One file or object that is read: by a plan from its beginning to its end or here and there, by a task in its extents. */
export interface Source extends SourceVersion {
  /** Absolute path of a local file, else the URL. It is kept in plans and shown, so it never holds a secret. */
  readonly uri: string;
  /**
   * The bytes from `from` up to and without `to`, in order, none missing: a source that ends early or is not in the state of
   * `size`, `mtimeMs` and `etag` any more, where its server can tell (If-Match), throws SpawnError INPUT_CHANGED.
   * A chunk may be of any length but 0, and is the reader's only until the next is asked for: buffers are used again.
   * Several may be read at a time. `signal` ends it with its reason.
   */
  read(from: number, to: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** The state it is in now, asked anew. A source that is gone throws FILE_NOT_FOUND. */
  look(signal: AbortSignal): Promise<SourceVersion>;
  /** Gives back what reading holds (a file descriptor, a connection); what reads after it opens anew. */
  close(): Promise<void>;
}

/** Which sources an input names. */
export interface SourceRequest {
  /** Paths and globs, relative to the directory of the job, `http(s)://…`, `s3://bucket/prefix-or-glob`. */
  readonly from: readonly string[];
  /** Globs of what is left out. */
  readonly exclude?: readonly string[] | undefined;
  readonly s3?: S3Access | undefined;
}

/** How inputs come to their sources: what a plan and an opened part are given. */
export interface SourceOpener {
  /**
   * The sources of a request in a lasting order (places as they are written, what a glob or prefix finds by name), each uri
   * once. A path that is not there, or a pattern that nothing fits, throws SpawnError with the place in its words.
   */
  list(request: SourceRequest, signal: AbortSignal): AsyncIterable<Source>;
  /** The source that a plan knows by this uri, in the state it is in now. */
  open(uri: string, request: Pick<SourceRequest, 's3'>, signal: AbortSignal): Promise<Source>;
}

/** True while both say the same of everything that both know. */
export function isSameVersion(a: SourceVersion, b: SourceVersion): boolean {
  if (a.size !== b.size) return false;
  if (a.etag !== undefined && b.etag !== undefined) return a.etag === b.etag;
  return a.mtimeMs === undefined || b.mtimeMs === undefined || a.mtimeMs === b.mtimeMs;
}
