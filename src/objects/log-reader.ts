import type { BlobKind } from '../api/http.ts';
import type { LogDiffQuery, LogDiffReply } from '../api/insight.ts';

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
  /** Bytes that were kept, where that is known: when fewer are found, a note says how many are missing. */
  outBytes?: number;
  errBytes?: number;
  /** Its worker is elsewhere and still ships: what is missing may yet come. */
  mayGrow?: boolean;
}

/** Where the records of an attempt end. */
export type LogEnd = Pick<LogRange, 'outBytes' | 'errBytes' | 'mayGrow'> & { toSegment: number; toOffset: number };

/** An attempt that runs, as far as it is known. */
export interface RunningAttempt {
  readonly position: number;
  readonly attempt: number;
  readonly sessionId: number;
  readonly fence: number;
  readonly fromSegment: number;
  readonly fromOffset: number;
}

/** Which logs are looked through: of each wanted task the last attempt. */
export interface SearchedLogs {
  /** Canonical index set of the job; '' for a job that is no array. */
  readonly indices: string;
  /** By position: 0 leaves the task out, anything else is its group. */
  readonly wanted: Uint8Array;
  /** Packed chunks of ends (core/end-chunk.ts) in the order of their commits, one behind the other, and the length of each. */
  readonly ends: readonly { readonly data: Uint8Array; readonly lengths: readonly number[] }[];
  /** What runs, instead of what ended before. */
  readonly running: readonly RunningAttempt[];
}

export interface LogSearch {
  /** JavaScript, flag v; a valid one. */
  readonly pattern: string;
  readonly ignoreCase: boolean;
  readonly streams: 'out' | 'err' | 'both';
  /** Most lines that are told. */
  readonly limit: number;
}

/** Reads the log segments that workers wrote. */
export interface LogReader {
  /**
   * Whole records of this attempt (and stream), in order, in chunks of one or more records.
   * @param tail only the last so many lines
   */
  read(range: LogRange, stream: 'out' | 'err' | 'both', tail?: number): AsyncIterable<Uint8Array>;
  /**
   * The same for an attempt that runs: yields what there is, and what is added; when `ended()` gives the end (asked again after each
   * quiet moment) reads up to it and stops.
   * @param tail of what there is at first, only the last so many lines
   */
  follow(
    range: LogRange,
    stream: 'out' | 'err' | 'both',
    ended: () => LogEnd | 'lost' | undefined,
    signal: AbortSignal,
    tail?: number,
  ): AsyncIterable<Uint8Array>;
  /**
   * Lines that fit a pattern: a GrepMatch of api/insight.ts a line, in JSON, in the order of the segments. Does its work in threads.
   * Throws BAD_REQUEST for a pattern that takes too long.
   */
  search(jobId: number, logs: SearchedLogs, search: LogSearch, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Lines of tasks of group 1 that are in none of group 2. Does its work in a thread. */
  diff(jobId: number, logs: SearchedLogs, query: LogDiffQuery, signal: AbortSignal): Promise<LogDiffReply>;
  /** Jobs of which there is anything, in no order. */
  jobs(): Promise<number[]>;
  /** Bytes of all segments of a job. */
  size(jobId: number): Promise<number>;
  /** Removes all segments of a job. */
  remove(jobId: number): Promise<void>;
}

/** One segment of one worker session; `segment` as in LogRange. */
export interface SegmentId {
  jobId: number;
  sessionId: number;
  segment: number;
}

/** Where the records of the result of an attempt lie, as its end says. */
export interface ResultRange {
  readonly jobId: number;
  readonly sessionId: number;
  readonly fence: number;
  /** Segment numbers are those of logs. */
  readonly resultSegment: number;
  readonly resultOffset: number;
  /** With headers. */
  readonly resultBytes: number;
}

export interface Results {
  /** The JSON object that the worker wrote, on one line; undefined when it is not there: not shipped yet, removed or damaged. */
  read(range: ResultRange): Promise<Uint8Array | undefined>;
}

/** Takes in what workers elsewhere write. */
export interface SegmentCopies {
  /** Adds what is new of a piece that begins at `offset`; gives how long the copy is. Errors: STORE_FULL, STORE_FAILED, BAD_REQUEST. */
  append(id: SegmentId, offset: number, bytes: Uint8Array): Promise<number>;
  /** Resolves when the copy has so many bytes, or when `signal` aborts. */
  reach(id: SegmentId, bytes: number, signal: AbortSignal): Promise<void>;
}

/** What tasks keep of their work, to go on with it in another attempt: one for each task, the newest. */
export interface Checkpoints {
  /**
   * Replaces it; whole and durable when it resolves. False, and nothing is changed, when `isCurrent` says no at the end. Errors: BODY_TOO_LARGE,
   * STORE_FULL, STORE_FAILED.
   */
  put(
    jobId: number,
    position: number,
    chunks: AsyncIterable<Uint8Array>,
    limits: { readonly most: number; readonly isCurrent: () => boolean },
  ): Promise<boolean>;
  /** Undefined when there is none. */
  read(jobId: number, position: number): Promise<{ bytes: number; chunks: AsyncIterable<Uint8Array> } | undefined>;
  /** Tasks of a job that have one. */
  positions(jobId: number): ReadonlySet<number>;
  /** Nothing when there is none. */
  drop(jobId: number, position: number): Promise<void>;
  /** As of logs. */
  jobs(): Promise<number[]>;
  size(jobId: number): Promise<number>;
  remove(jobId: number): Promise<void>;
}

/** Scripts, environment snapshots and staged directories by their SHA-256. */
export interface Blobs {
  /** Durable when it resolves; the same bytes are stored once. Files are mode 0600. */
  put(kind: BlobKind, bytes: Uint8Array): Promise<string>;
  /** Undefined when there is none. Being stored again or read makes it young. */
  get(hash: string): Promise<{ kind: BlobKind; bytes: Uint8Array } | undefined>;
  /** Whether it is there, without reading it; makes it young. */
  has(kind: BlobKind, hash: string): Promise<boolean>;
  list(): Promise<StoredBlob[]>;
  /** Unless it is younger; false when it stayed. */
  remove(blob: Pick<StoredBlob, 'kind' | 'hash'>, minAgeMs: number): Promise<boolean>;
}

export interface StoredBlob {
  kind: BlobKind;
  hash: string;
  bytes: number;
  /** Since it was stored or read. */
  ageMs: number;
}
