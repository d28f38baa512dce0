import type { Encoding, InputSpec } from '../../api/data.ts';
import type { Source } from '../source.ts';

/** A source as the parts of a plan need it. */
export interface PlannedSource extends Source {
  /** Of what is read as characters. */
  readonly encoding?: Encoding;
  /** Bytes of its byte order mark, 0 when it has none. */
  readonly bom?: number;
  /** From and to of the record that names the columns, with its line end. */
  readonly header?: readonly [from: number, to: number];
  /** How many fields the first record of a table without a header has. */
  readonly fields?: number;
  /** The unit that ends its lines when that is not LF. */
  readonly lineEnd?: number;
}

/** The parts of one source or of one value: consecutive positions. */
export interface Batch {
  /** The source's uri, or the value; empty for parts of several sources together. */
  readonly name: string;
  /** Position of its first part. */
  readonly first: number;
  readonly parts: number;
}

/** Records that the plan left out. */
export interface LeftOut {
  readonly count: number;
  /** Blob of JSON lines: `{source, uri, from, to, line, column, expected, found}` each, at most 100,000. */
  readonly list?: string;
}

/** What a plan is, as JSON. Everything that grows with the input is in pieces of its own when it is long. */
export interface PlanManifest {
  readonly version: 1;
  readonly input: InputSpec;
  readonly parts: number;
  /** Of all parts together, without headers and overlaps. */
  readonly bytes: number;
  /** Absent when the cut did not need to count them. */
  readonly records?: number;
  readonly leftOut?: LeftOut;
  readonly sourceCount: number;
  readonly batchCount: number;
  /** When there are few; else `sourcePieces`: JSON arrays of ROWS_PER_PIECE each. */
  readonly sources?: readonly PlannedSource[];
  readonly sourcePieces?: readonly string[];
  readonly batches?: readonly Batch[];
  readonly batchPieces?: readonly string[];
  /** Hashes in the order of their parts, and beside each the position of its first. */
  readonly pieces: readonly string[];
  readonly firsts: readonly number[];
  /** Hashes of the blobs that hold the extents of parts with very many; such parts name them by their number here. */
  readonly extentBlobs?: readonly string[];
  /** What the pieces hold: extents of sources, numbers of records of a list or range, or JSON values of a module. */
  readonly holds: 'extents' | 'numbers' | 'values';
}

/** Sources or batches in a manifest itself, and in each of their pieces when there are more. */
export const ROWS_PER_PIECE = 10_000;
export const PARTS_PER_PIECE = 8_192;
/** Bytes after which a piece ends. */
export const PIECE_BYTES = 1024 * 1024;
/** Extents that a part has in its piece; those of a part with more are in blobs of their own, so many in each. */
export const INLINE_EXTENTS = 4_096;
export const EXTENTS_PER_BLOB = 65_536;

/** Where plans are kept: bytes by their SHA-256. */
export interface BlobSink {
  put(bytes: Uint8Array): Promise<string>;
}

export type GetBlob = (hash: string) => Promise<Uint8Array>;

/** A stretch of a source. */
export interface Extent {
  /** Position of the source in the plan. */
  readonly source: number;
  readonly from: number;
  readonly to: number;
}
