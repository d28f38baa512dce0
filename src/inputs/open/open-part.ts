import type { InputSpec } from '../../api/data.ts';
import { SpawnError } from '../../core/errors.ts';
import { decode } from '../encoding.ts';
import { loadInputModule } from '../module-input.ts';
import type { PlannedSource } from '../plan/manifest.ts';
import type { Part, Plan } from '../plan/reader.ts';
import { charsetOfPlanned, columnsOf, lineEndOfPlanned, type RecordInput } from '../record-input.ts';
import type { OpenSource, SourceReader } from '../source.ts';
import { type OpenExtent, openExtents } from './extent-reader.ts';
import { oneByOne } from './one-by-one.ts';
import { jsonLines, partScan, recordBytes } from './part-bytes.ts';
import { valueReader } from './record-values.ts';
import { walkRecords } from './record-walk.ts';

/** What opening a part needs from around it. */
export interface PartContext {
  readonly reader: SourceReader;
  readonly signal: AbortSignal;
  /** Directory that the module of an input is relative to. */
  readonly cwd?: string;
}

/** The sources of a part that are told; a part of a group may have very many. */
const MOST_SOURCES = 1_000;
/** Records of an input without a scan that are given at a time. */
const LIST_LENGTH = 1_024;

/**
 * A part that is read. Each reading begins anew, checks that the sources are what was planned before the first byte and after the
 * last one, and throws INPUT_CHANGED when they are not, BAD_INPUT for a record that is not what the input says.
 */
export class OpenPart {
  readonly part: Part;
  readonly #plan: Plan;
  readonly #context: PartContext;

  constructor(plan: Plan, part: Part, context: PartContext) {
    this.part = part;
    this.#plan = plan;
    this.#context = context;
  }

  /** The sources it is from, the first thousand. */
  async sources(): Promise<readonly PlannedSource[]> {
    const seen = new Set<number>();
    for await (const { source } of this.part.extents()) if (seen.add(source).size === MOST_SOURCES) break;
    return Promise.all([...seen].map((source) => this.#plan.source(source)));
  }

  /**
   * What a command reads. text, jsonl, csv: as it stands in the source, without its byte order mark, in its encoding, a csv with
   * its header before it. json, list, range, module: JSON lines in UTF-8. files, binary: the bytes, binary with its overlap.
   */
  bytes(): AsyncIterable<Uint8Array> {
    const { input } = this.#plan.manifest;
    const { signal } = this.#context;
    switch (input.type) {
      case 'text':
      case 'jsonl':
      case 'csv': {
        const checked = this.part.records !== undefined;
        return recordBytes(input, this.#extents(), (extent) => this.#fieldCount(input, extent), checked, signal);
      }
      case 'json':
        return jsonLines(this.#extents(), signal);
      case 'files':
        return this.#raw(0);
      case 'binary':
        return this.#raw(input.overlapBytes);
      default:
        return this.#valueLines();
    }
  }

  /** `recordLists`, one by one. */
  records(): AsyncIterable<unknown> {
    return oneByOne(this.recordLists());
  }

  /**
   * The records, many at a time, which is quicker. text: lines without their ends; jsonl, json, list, range: values; csv: objects
   * by the names of the header, or lists of texts; binary: bytes of one record, or pieces of any length where records have no
   * size; files: `{uri, size}`; module: what its `open` gives.
   */
  recordLists(): AsyncIterable<readonly unknown[]> {
    const { input } = this.#plan.manifest;
    switch (input.type) {
      case 'text':
      case 'jsonl':
      case 'csv':
      case 'json':
        return this.#scanned(input);
      case 'files':
        return listsOf(this.#files());
      case 'binary':
        return listsOf(this.#binaryRecords(input.recordBytes));
      case 'list':
      case 'range':
        return listsOf(this.#items(input));
      case 'module':
        return listsOf(this.#ofModule(input.module));
      case 'job':
        throw new SpawnError('PLAN_DAMAGED', { what: 'manifest', why: 'its input names a job' });
    }
  }

  #extents(): AsyncIterable<OpenExtent> {
    return openExtents(this.#plan, this.part.extents(), this.#context.reader, this.#context.signal);
  }

  async *#scanned(input: RecordInput): AsyncIterable<readonly unknown[]> {
    const { signal } = this.#context;
    let columns: readonly string[] | undefined;
    for await (const extent of this.#extents()) {
      const { open, data, row, from, to } = extent;
      if (input.type === 'csv' && extent.isFirst) columns = await this.#columns(input, open, row);
      const value = valueReader(input, row, columns);
      const scan = partScan(input, row, await this.#fieldCount(input, extent));
      for await (const { window, found, from: first } of walkRecords(data, row, from, to, scan, signal)) {
        const list: unknown[] = [];
        let begin = first;
        for (let record = 0; record < found.count; record++) {
          const end = found.ends[record]!;
          list.push(value(window, begin, end));
          begin = end;
        }
        yield list;
      }
    }
  }

  async #columns(
    input: Extract<RecordInput, { type: 'csv' }>,
    open: OpenSource,
    row: PlannedSource,
  ): Promise<readonly string[] | undefined> {
    if (row.header === undefined) return undefined;
    const chunks: Uint8Array[] = [];
    for await (const chunk of open.read(row.header[0], row.header[1], this.#context.signal)) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    if (row.encoding === 'utf-16be') bytes.swap16();
    const text = decode(bytes, charsetOfPlanned(row).encoding, 0, bytes.length);
    const end = String.fromCharCode(lineEndOfPlanned(row));
    return columnsOf(input, text.endsWith(end) ? text.slice(0, -1).replace(/\r$/, '') : text);
  }

  /** Of a table that the plan has not looked at: how many fields its records must have. */
  async #fieldCount(input: RecordInput, { open, row }: OpenExtent): Promise<number | undefined> {
    if (input.type !== 'csv' || this.part.records !== undefined) return undefined;
    return (await this.#columns(input, open, row))?.length ?? row.fields;
  }

  async *#raw(overlap: number): AsyncIterable<Uint8Array> {
    const { signal } = this.#context;
    for await (const { open, data, row, from, to } of this.#extents()) {
      // Of a file that is in several extents nothing overlaps: only whole files share a part.
      const end = data === open ? Math.min(row.size, to + overlap) : to;
      if (end > from) yield* data.read(from, end, signal);
    }
  }

  async *#binaryRecords(recordBytes: number | undefined): AsyncIterable<Uint8Array> {
    if (recordBytes === undefined) {
      yield* this.#raw(0);
      return;
    }
    let rest = Buffer.alloc(0);
    for await (const chunk of this.#raw(0)) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      for (; at + recordBytes <= bytes.length; at += recordBytes) yield bytes.slice(at, at + recordBytes);
      rest = Buffer.from(bytes.subarray(at));
    }
  }

  async *#files(): AsyncIterable<Omit<PlannedSource, 'encoding'>> {
    for await (const { source } of this.part.extents()) yield this.#plan.source(source);
  }

  *#items(input: Extract<InputSpec, { type: 'list' | 'range' }>): Iterable<unknown> {
    const { firstRecord = 0, records = 0 } = this.part;
    for (let at = firstRecord; at < firstRecord + records; at++)
      yield input.type === 'list' ? input.items[at] : input.first + at * input.step;
  }

  async *#ofModule(path: string): AsyncIterable<unknown> {
    const { cwd = '.', signal } = this.#context;
    const module = await loadInputModule(path, cwd);
    yield* module.open(this.part.value, { signal, cwd });
  }

  async *#valueLines(): AsyncIterable<Uint8Array> {
    for await (const list of this.recordLists())
      yield Buffer.from(list.map((value) => `${JSON.stringify(value) ?? 'null'}\n`).join(''));
  }
}

/** Opens a part of a plan; nothing is read before somebody asks for its bytes or records. */
export async function openPart(plan: Plan, position: number, context: PartContext): Promise<OpenPart> {
  return new OpenPart(plan, await plan.part(position), context);
}

async function* listsOf(values: AsyncIterable<unknown> | Iterable<unknown>): AsyncIterable<readonly unknown[]> {
  let list: unknown[] = [];
  for await (const value of values) {
    list.push(value);
    if (list.length < LIST_LENGTH) continue;
    yield list;
    list = [];
  }
  if (list.length > 0) yield list;
}
