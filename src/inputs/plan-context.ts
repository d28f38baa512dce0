import type { BlobSink } from './plan/manifest.ts';
import type { Source, SourceReader } from './source.ts';

/** Parts that a plan has at most, unless it is told otherwise. */
export const MAX_PARTS = 1_000_000;

/** How far a plan is. */
export interface PlanProgress {
  /** Of the sources, read or passed over. */
  readonly bytes: number;
  readonly sources: number;
  readonly parts: number;
}

/** What planning needs from around it. */
export interface PlanContext {
  /** The sources that an input names with `from`, `exclude` and `s3`, in a lasting order. */
  readonly sources: AsyncIterable<Source>;
  readonly reader: SourceReader;
  /** Where the plan is kept. */
  readonly sink: BlobSink;
  readonly signal: AbortSignal;
  /** Default MAX_PARTS. */
  readonly maxParts?: number;
  /** Texts are cut by looking for each border alone when their parts have at least so many bytes. Default 256 KiB. */
  readonly seekFromBytes?: number;
  /** Bytes of the stretches of groups that stay in memory. Default 32 MiB. */
  readonly groupBytes?: number;
  /** Where a plan by groups puts what memory does not hold. Default: the directory for temporary files. */
  readonly temporaryDirectory?: string;
  /** Directory that the module of an input is relative to. */
  readonly cwd?: string;
  /** Called a few times a second at most while sources are read. */
  readonly onProgress?: (progress: PlanProgress) => void;
}
