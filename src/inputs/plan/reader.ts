import { createHash } from 'node:crypto';
import { SpawnError } from '../../core/errors.ts';
import { PackedReader } from '../../core/packed.ts';
import { ExtentReader } from './extents.ts';
import {
  type Batch,
  EXTENTS_PER_BLOB,
  type Extent,
  type GetBlob,
  type PlanManifest,
  type PlannedSource,
  ROWS_PER_PIECE,
} from './manifest.ts';
import { PIECE_VERSION } from './writer.ts';

/** One part as its plan has it. */
export interface Part {
  readonly position: number;
  readonly batch: Batch;
  /** Records in it; absent when they were not counted. */
  readonly records?: number;
  /** Records of the parts before it; absent when they were not counted. */
  readonly firstRecord?: number;
  /** Bytes of its extents; absent for a part of very many of them. */
  readonly bytes?: number;
  /** Of a module's plan. */
  readonly value?: unknown;
  extents(): AsyncIterable<Extent>;
}

/** Pieces that stay in memory. */
const KEPT_PIECES = 8;

interface PackedPart {
  readonly extents: readonly Extent[];
  /** Numbers of the blobs with its extents, when they are very many: from, and how many. */
  readonly blobs: { readonly first: number; readonly count: number };
  /** 0: not counted. */
  readonly records: number;
  /** Records of all parts before it; undefined when they were not counted. */
  readonly before?: number | undefined;
  readonly value?: unknown;
}

const NO_BLOBS = { first: 0, count: 0 };

/** Reads a plan part by part; what a part needs is fetched when it is asked for. */
export class Plan {
  readonly manifest: PlanManifest;
  readonly #get: GetBlob;
  readonly #kept = new Map<string, Promise<unknown>>();

  constructor(manifest: PlanManifest, get: GetBlob) {
    this.manifest = manifest;
    this.#get = get;
  }

  async part(position: number): Promise<Part> {
    const { pieces, firsts, parts, holds } = this.manifest;
    if (!Number.isInteger(position) || position < 0 || position >= parts)
      throw new RangeError(`part ${position} of a plan of ${parts}`);
    const at = lastAtMost(firsts, position);
    const hash = pieces[at]!;
    const first = firsts[at]!;
    const count = (firsts[at + 1] ?? parts) - first;
    const piece = await this.#once(hash, (bytes) => readPiece(bytes, count, holds));
    const found = piece[position - first]!;
    const batch = await this.batchOf(position);
    const { records, before, extents, blobs } = found;
    return {
      position,
      batch,
      ...(records > 0 ? { records } : {}),
      ...(before === undefined ? {} : { firstRecord: before }),
      ...(blobs.count === 0 ? { bytes: extents.reduce((sum, { from, to }) => sum + to - from, 0) } : {}),
      ...('value' in found ? { value: found.value } : {}),
      extents: () => this.#extents(extents, blobs),
    };
  }

  async source(position: number): Promise<PlannedSource> {
    return this.#row(position, this.manifest.sources, this.manifest.sourcePieces, 'source');
  }

  batch(position: number): Promise<Batch> {
    return this.#row(position, this.manifest.batches, this.manifest.batchPieces, 'batch');
  }

  /** The batch of a part. */
  async batchOf(part: number): Promise<Batch> {
    let [low, high] = [0, this.manifest.batchCount - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((await this.batch(middle)).first <= part) low = middle;
      else high = middle - 1;
    }
    return this.batch(low);
  }

  async *#extents(inline: readonly Extent[], { first, count }: PackedPart['blobs']): AsyncIterable<Extent> {
    yield* inline;
    for (let at = first; at < first + count; at++) {
      const hash = this.manifest.extentBlobs?.[at];
      if (hash === undefined)
        throw new SpawnError('PLAN_DAMAGED', { what: 'manifest', why: `it has no extents ${at}` });
      yield* await this.#once(hash, readExtents);
    }
  }

  async #row<T>(
    position: number,
    rows: readonly T[] | undefined,
    pieces: readonly string[] | undefined,
    what: string,
  ): Promise<T> {
    const hash = pieces?.[Math.floor(position / ROWS_PER_PIECE)];
    const list = hash === undefined ? rows : await this.#once(hash, (bytes) => parsed(bytes) as readonly T[]);
    const row = list?.[hash === undefined ? position : position % ROWS_PER_PIECE];
    if (row === undefined)
      throw new SpawnError('PLAN_DAMAGED', { what: hash ?? 'manifest', why: `it has no ${what} ${position}` });
    return row;
  }

  /** What a blob says, read once while it is used now and then. Bytes of another hash are refused. */
  #once<T>(hash: string, read: (bytes: Uint8Array) => T): Promise<T> {
    const kept = this.#kept.get(hash) as Promise<T> | undefined;
    this.#kept.delete(hash);
    const found = kept ?? this.#read(hash, read);
    this.#kept.set(hash, found);
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > KEPT_PIECES && !oldest.done) this.#kept.delete(oldest.value);
    // One that could not be had is asked for again.
    found.catch(() => this.#kept.delete(hash));
    return found;
  }

  async #read<T>(hash: string, read: (bytes: Uint8Array) => T): Promise<T> {
    return readChecked(hash, await this.#get(hash), read);
  }
}

/** Opens the plan that has this hash. */
export async function readPlan(hash: string, get: GetBlob): Promise<Plan> {
  const manifest = readChecked(hash, await get(hash), parsed) as PlanManifest;
  if (manifest?.version === 1) return new Plan(manifest, get);
  throw new SpawnError('VERSION_UNSUPPORTED', { expected: 'a plan of version 1', found: `${manifest?.version}` });
}

function readChecked<T>(hash: string, bytes: Uint8Array, read: (bytes: Uint8Array) => T): T {
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== hash) throw new SpawnError('PLAN_DAMAGED', { what: hash, why: `its bytes have the hash ${found}` });
  try {
    return read(bytes);
  } catch (error) {
    throw new SpawnError('PLAN_DAMAGED', { what: hash, why: (error as Error).message }, { cause: error });
  }
}

function parsed(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
}

function readPiece(bytes: Uint8Array, count: number, holds: PlanManifest['holds']): readonly PackedPart[] {
  if (holds === 'values') {
    const values = parsed(bytes) as unknown[];
    if (values.length !== count) throw new RangeError(`it has ${values.length} parts, expected ${count}`);
    return values.map((value) => ({ extents: [], blobs: NO_BLOBS, records: 0, value }));
  }
  const packed = new PackedReader(bytes);
  const version = packed.number();
  if (version !== PIECE_VERSION) throw new RangeError(`it is of version ${version}, expected ${PIECE_VERSION}`);
  const parts = packed.number();
  if (parts !== count) throw new RangeError(`it has ${parts} parts, expected ${count}`);
  const counted = packed.number();
  let before = counted === 0 ? undefined : counted - 1;
  const reader = new ExtentReader(packed);
  const found: PackedPart[] = [];
  for (let at = 0; at < count; at++) {
    const part = readPart(reader);
    found.push({ ...part, before });
    if (part.records === 0) before = undefined;
    else if (before !== undefined) before += part.records;
  }
  if (!packed.done) throw new RangeError('it goes on behind its last part');
  return found;
}

function readPart(reader: ExtentReader): PackedPart {
  const { packed } = reader;
  const head = packed.number();
  const count = Math.floor(head / 2);
  const isLong = head % 2 === 1;
  const blobs = isLong ? { first: packed.number(), count } : NO_BLOBS;
  const extents: Extent[] = [];
  for (let at = 0; at < count && !isLong; at++) extents.push(reader.next());
  return { extents, blobs, records: packed.number() };
}

function readExtents(bytes: Uint8Array): readonly Extent[] {
  const reader = new ExtentReader(new PackedReader(bytes));
  const extents: Extent[] = [];
  while (!reader.packed.done && extents.length <= EXTENTS_PER_BLOB) extents.push(reader.next());
  return extents;
}

/** The place of the last number that is not above `wanted`, of rising ones that begin with 0. */
function lastAtMost(numbers: readonly number[], wanted: number): number {
  let [low, high] = [0, numbers.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (numbers[middle]! <= wanted) low = middle;
    else high = middle - 1;
  }
  return low;
}
