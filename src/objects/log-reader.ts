/** Where one attempt's records lie: from its start to its end, other attempts' records in between. */
export interface LogRange {
  jobId: number;
  sessionId: number;
  fence: number;
  /** Segment numbers are `life * 65536 + sequence`: the file is `<logs>/<job>/<session>-<life>-<sequence>.seg`. */
  fromSegment: number;
  fromOffset: number;
  /** Absent while the attempt runs. */
  toSegment?: number;
  toOffset?: number;
}

/** Reads the log segments that workers wrote. */
export interface LogReader {
  /** Whole records of this attempt (and stream), in order, in chunks of one or more records. */
  read(range: LogRange, stream: 'out' | 'err' | 'both'): AsyncIterable<Uint8Array>;
  /**
   * The same for an attempt that runs: yields what there is, and what is added; when `ended()` gives the end (asked again after each
   * quiet moment) reads up to it and stops.
   */
  follow(
    range: LogRange,
    stream: 'out' | 'err' | 'both',
    ended: () => { toSegment: number; toOffset: number } | 'lost' | undefined,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
  /** Removes all segments of a job. */
  remove(jobId: number): Promise<void>;
}

/** Scripts and environment snapshots by their SHA-256. */
export interface Blobs {
  /** Durable when it resolves; the same bytes are stored once. Files are mode 0600. */
  put(kind: 'script' | 'env', bytes: Uint8Array): Promise<string>;
  /** Undefined when there is none. */
  get(hash: string): Promise<{ kind: 'script' | 'env'; bytes: Uint8Array } | undefined>;
}
