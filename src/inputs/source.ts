/** A file or object that is read, in one state of its bytes: what a plan keeps of it. */
export interface Source {
  /** Absolute path of a local file, else `http(s)://…` or `s3://bucket/key`. It is shown, so it never holds a secret. */
  readonly uri: string;
  /** Bytes; always known, as a plan is made of offsets. */
  readonly size: number;
  /** When it was last changed, epoch ms with its fraction; absent where nothing reliable says so. */
  readonly mtimeMs?: number;
  /** As a server names this state of the bytes; absent where none does. */
  readonly etag?: string;
}

/** A source that can be read. */
export interface OpenSource {
  readonly source: Source;
  /**
   * The bytes from `from` up to and without `to`, in order: exactly that many, or it throws. Chunks are about a MiB, never
   * empty, and the reader's to keep. Several reads may go on at a time; short ones are cheap. A source that is known not to be
   * in its state any more throws SpawnError INPUT_CHANGED.
   */
  read(from: number, to: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Asks anew for its state; throws SpawnError INPUT_CHANGED when size, time or etag are not those of `source`. */
  check(signal?: AbortSignal): Promise<void>;
  /** Gives back what reading holds, a file descriptor or a connection. */
  close(): Promise<void>;
}

/** What reads sources, whatever kind they are; one for a plan, and one for the parts of a job on a worker. */
export interface SourceReader {
  /** Does not compare states by itself: `check` does. */
  open(source: Source, signal?: AbortSignal): Promise<OpenSource>;
}
