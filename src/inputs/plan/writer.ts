import { createHash } from 'node:crypto';
import type { InputSpec } from '../../api/data.ts';
import { SpawnError } from '../../core/errors.ts';
import { PackedWriter } from '../../core/packed.ts';
import { ExtentWriter } from './extents.ts';
import {
  type Batch,
  type BlobSink,
  EXTENTS_PER_BLOB,
  INLINE_EXTENTS,
  type LeftOut,
  PARTS_PER_PIECE,
  PIECE_BYTES,
  type PlanManifest,
  type PlannedSource,
  ROWS_PER_PIECE,
} from './manifest.ts';

/** First byte of a piece. */
export const PIECE_VERSION = 1;

/** A part whose extents are being said. */
const EXTENT = 3;

interface Counts {
  records: number;
  bytes: number;
  /** The records of some part are not known. */
  uncounted: boolean;
}

/**
 * Takes sources, batches and parts in their order and packs them. It never waits: what is full waits to be written until `flush`,
 * which whoever cuts calls often. Nothing here grows with the parts but the list of pieces.
 */
export class PlanWriter {
  parts = 0;
  readonly #sink: BlobSink;
  readonly #input: InputSpec;
  readonly #holds: PlanManifest['holds'];
  readonly #maxParts: number;
  readonly #sources: Rows<PlannedSource>;
  readonly #batches: Rows<Batch>;
  #batch: { name: string; first: number } = { name: '', first: 0 };
  readonly #counts: Counts = { records: 0, bytes: 0, uncounted: false };
  readonly #pieces: string[] = [];
  readonly #firsts: number[] = [];
  #body = new ExtentWriter();
  #values: string[] = [];
  #valueBytes = 0;
  #pieceParts = 0;
  #recordsBefore = 0;
  #waiting: { hash: string; bytes: Uint8Array }[] = [];
  /** Source, from, to of the extents of the part that is being said. */
  #extents: number[] = [];
  /** Of a part with very many. `first`: its first blob. */
  #long: { writer: ExtentWriter; count: number; first: number } | undefined;
  readonly #extentBlobs: string[] = [];

  constructor(sink: BlobSink, input: InputSpec, holds: PlanManifest['holds'], maxParts: number) {
    this.#sink = sink;
    this.#input = input;
    this.#holds = holds;
    this.#maxParts = maxParts;
    this.#sources = new Rows(this.#keep);
    this.#batches = new Rows(this.#keep);
  }

  /** Adds a source; gives its position. */
  source(row: PlannedSource): number {
    return this.#sources.add(row);
  }

  /** What comes now is of this batch. */
  batch(name: string): void {
    this.#endBatch();
    this.#batch = { name, first: this.parts };
  }

  /** Adds a stretch to the part that `endPart` will make. */
  extent(source: number, from: number, to: number): void {
    this.#counts.bytes += to - from;
    if (this.#long !== undefined) {
      this.#longExtent(source, from, to);
      return;
    }
    this.#extents.push(source, from, to);
    if (this.#extents.length <= INLINE_EXTENTS * EXTENT) return;
    this.#long = { writer: new ExtentWriter(), count: 0, first: this.#extentBlobs.length };
    for (let at = 0; at < this.#extents.length; at += EXTENT)
      this.#longExtent(this.#extents[at]!, this.#extents[at + 1]!, this.#extents[at + 2]!);
    this.#extents.length = 0;
  }

  /** A part of the extents said since the last one. Records: undefined when they were not counted. */
  endPart(records: number | undefined): void {
    const { packed } = this.#body;
    if (this.#long !== undefined) {
      const { writer, count, first } = this.#long;
      if (count > 0) this.#extentBlobs.push(this.#keep(writer.packed.bytes()));
      this.#long = undefined;
      packed.number((this.#extentBlobs.length - first) * 2 + 1);
      packed.number(first);
    } else {
      packed.number((this.#extents.length / EXTENT) * 2);
      for (let at = 0; at < this.#extents.length; at += EXTENT)
        this.#body.add(this.#extents[at]!, this.#extents[at + 1]!, this.#extents[at + 2]!);
      this.#extents.length = 0;
    }
    // 0 is not known: a part has at least one record.
    packed.number(records ?? 0);
    this.#counts.records += records ?? 0;
    if (records === undefined) this.#counts.uncounted = true;
    this.#added(packed.length);
  }

  /** A part that is a JSON value. */
  value(json: string): void {
    this.#values.push(json);
    this.#valueBytes += json.length;
    this.#counts.uncounted = true;
    this.#added(this.#valueBytes);
  }

  /** True when there is something to write. */
  get waiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Writes what is full. */
  async flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { hash, bytes } of waiting) {
      const kept = await this.#sink.put(bytes);
      if (kept !== hash) throw new SpawnError('PLAN_DAMAGED', { what: hash, why: `it was kept as ${kept}` });
    }
  }

  /** Writes all that is left and the manifest; gives its hash. */
  async finish(leftOut: LeftOut | undefined): Promise<{ hash: string; manifest: PlanManifest }> {
    this.#endPiece();
    this.#endBatch();
    const { records, bytes, uncounted } = this.#counts;
    const [sources, batches] = [this.#sources.end(), this.#batches.end()];
    const manifest: PlanManifest = {
      version: 1,
      input: this.#input,
      parts: this.parts,
      bytes,
      ...(uncounted ? {} : { records }),
      ...(leftOut === undefined ? {} : { leftOut }),
      sourceCount: this.#sources.count,
      batchCount: this.#batches.count,
      ...('rows' in sources ? { sources: sources.rows } : { sourcePieces: sources.pieces }),
      ...('rows' in batches ? { batches: batches.rows } : { batchPieces: batches.pieces }),
      pieces: this.#pieces,
      firsts: this.#firsts,
      ...(this.#extentBlobs.length === 0 ? {} : { extentBlobs: this.#extentBlobs }),
      holds: this.#holds,
    };
    const hash = this.#keep(Buffer.from(JSON.stringify(manifest)));
    await this.flush();
    return { hash, manifest };
  }

  readonly #keep = (bytes: Uint8Array): string => {
    const hash = createHash('sha256').update(bytes).digest('hex');
    this.#waiting.push({ hash, bytes });
    return hash;
  };

  #longExtent(source: number, from: number, to: number): void {
    const long = this.#long!;
    long.writer.add(source, from, to);
    if (++long.count < EXTENTS_PER_BLOB) return;
    this.#extentBlobs.push(this.#keep(long.writer.packed.bytes()));
    long.writer = new ExtentWriter();
    long.count = 0;
  }

  #added(pieceBytes: number): void {
    this.parts++;
    this.#pieceParts++;
    if (this.parts > this.#maxParts) {
      const where = `input ${this.#input.type}, cut`;
      const expected = `at most ${this.#maxParts} parts`;
      throw new SpawnError('BAD_INPUT', { where, expected, found: 'more', more: 'cut it into larger ones' });
    }
    if (this.#pieceParts >= PARTS_PER_PIECE || pieceBytes >= PIECE_BYTES) this.#endPiece();
  }

  #endPiece(): void {
    if (this.#pieceParts === 0) return;
    this.#firsts.push(this.parts - this.#pieceParts);
    if (this.#holds === 'values') this.#pieces.push(this.#keep(Buffer.from(`[${this.#values.join(',')}]`)));
    else {
      const head = new PackedWriter();
      head.number(PIECE_VERSION);
      head.number(this.#pieceParts);
      // Records before it, 0 when that is not known.
      head.number(this.#counts.uncounted ? 0 : this.#recordsBefore + 1);
      this.#pieces.push(this.#keep(Buffer.concat([head.bytes(), this.#body.packed.bytes()])));
    }
    this.#body = new ExtentWriter();
    this.#values = [];
    this.#valueBytes = 0;
    this.#pieceParts = 0;
    this.#recordsBefore = this.#counts.records;
  }

  #endBatch(): void {
    const { name, first } = this.#batch;
    if (this.parts > first) this.#batches.add({ name, first, parts: this.parts - first });
    this.#batch = { name: '', first: this.parts };
  }
}

/** Rows that go into the manifest while they are few, and into pieces as soon as they are more. */
class Rows<T> {
  count = 0;
  #rows: T[] = [];
  readonly #pieces: string[] = [];
  readonly #keep: (bytes: Uint8Array) => string;

  constructor(keep: (bytes: Uint8Array) => string) {
    this.#keep = keep;
  }

  add(row: T): number {
    if (this.#rows.length === ROWS_PER_PIECE) this.#endPiece();
    this.#rows.push(row);
    return this.count++;
  }

  end(): { rows: readonly T[] } | { pieces: readonly string[] } {
    if (this.#pieces.length === 0) return { rows: this.#rows };
    this.#endPiece();
    return { pieces: this.#pieces };
  }

  #endPiece(): void {
    if (this.#rows.length === 0) return;
    this.#pieces.push(this.#keep(Buffer.from(JSON.stringify(this.#rows))));
    this.#rows = [];
  }
}
