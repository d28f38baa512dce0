import { PackedReader, PackedWriter } from './packed.ts';

/** Of results: where the records of one lie; all 0 of an attempt that gave none. */
const RESULT_COLUMNS = ['resultSegment', 'resultOffset', 'resultBytes'] as const;

/** What was measured of an attempt, and where its log lies. Durations are microseconds by the worker's clock. */
export const MEASURED = [
  /** encodeOutcome() of core/outcome.ts. */
  'outcome',
  'wallUs',
  'cpuUs',
  'maxRssKb',
  'logSegment',
  'logOffset',
  'logEndSegment',
  'logEndOffset',
  'outBytes',
  'errBytes',
  'cutBytes',
  'missingBytes',
  ...RESULT_COLUMNS,
] as const;
export type Measured = Record<(typeof MEASURED)[number], number>;

/** Of an attempt that left nothing to measure. */
export const NOTHING_MEASURED: Readonly<Measured> = Object.fromEntries(MEASURED.map((name) => [name, 0])) as Measured;

/** One ended attempt. */
export interface EndRecord extends Measured {
  position: number;
  attempt: number;
  fence: number;
  sessionId: number;
  /** Epoch ms by the coordinator's clock. */
  endedAt: number;
  /** How long it was suspended by the coordinator's clock; no part of its wall time. */
  suspendedMs: number;
}

/** An end that is added to a chunk; what is left out is 0. */
type NewEnd = Omit<EndRecord, 'endedAt' | 'suspendedMs' | ResultColumn> &
  Partial<Record<'suspendedMs' | ResultColumn, number>>;
type ResultColumn = (typeof RESULT_COLUMNS)[number];

/** Columns in the order they are packed; those that are all zero take one bit. */
const COLUMNS = [
  'attempt',
  'outcome',
  'sessionId',
  'wallUs',
  'cpuUs',
  'maxRssKb',
  'logSegment',
  'logOffset',
  'logEndSegment',
  'logEndOffset',
  'outBytes',
  'errBytes',
  'cutBytes',
  'missingBytes',
  'suspendedMs',
  ...RESULT_COLUMNS,
] as const;
type Column = (typeof COLUMNS)[number];
/** Columns of each format, from 1 on: those before the last ones, which are written where they say something. */
const COLUMNS_OF = [COLUMNS.slice(0, -4), COLUMNS.slice(0, -3), COLUMNS] as const;

/** These hardly ever repeat, so they are written plainly; the others as runs. */
const PLAIN: ReadonlySet<Column> = new Set([
  'wallUs',
  'cpuUs',
  'maxRssKb',
  'logOffset',
  'logEndOffset',
  'outBytes',
  'errBytes',
  'resultBytes',
]);

/** Tasks in a row that completed under fences in a row. */
export interface CompletedRun {
  readonly position: number;
  readonly fence: number;
  readonly count: number;
  readonly sessionId: number;
}

/** Gathers the ends of one job in one commit. */
export class EndChunk {
  /** (position, fence, count) triples: fences and positions grow together. */
  readonly #runs: number[] = [];
  /** Those in which something is not zero. */
  readonly #columns: Record<Column, number[] | undefined>;
  readonly endedAt: number;
  count = 0;
  /** Of them, those that were no success. */
  bad = 0;
  minPosition = Number.MAX_SAFE_INTEGER;
  maxPosition = 0;

  constructor(endedAt: number) {
    this.endedAt = endedAt;
    this.#columns = Object.fromEntries(COLUMNS.map((name) => [name, undefined])) as Record<Column, undefined>;
  }

  add(end: NewEnd): void {
    for (const name of COLUMNS) this.#put(name, end[name] ?? 0);
    this.#join(end.position, end.fence, 1);
    if (end.outcome !== 0) this.bad++;
  }

  /**
   * The same for many that completed, without an object for each.
   * @param attempts by position; `columns` from `at` on
   */
  addCompleted(
    { position, fence, count, sessionId }: CompletedRun,
    attempts: ArrayLike<number>,
    columns: Readonly<Partial<Record<keyof Measured, readonly number[] | undefined>>>,
    at: number,
  ): void {
    for (const name of COLUMNS) {
      const from = name === 'attempt' || name === 'sessionId' || name === 'suspendedMs' ? undefined : columns[name];
      for (let i = 0; i < count; i++) {
        if (name === 'attempt') this.#put(name, attempts[position + i]!, i);
        else if (name === 'sessionId') this.#put(name, sessionId, i);
        else if (from !== undefined) this.#put(name, from[at + i]!, i);
        else if (this.#columns[name] !== undefined) this.#put(name, 0);
        else break;
      }
    }
    this.#join(position, fence, count);
  }

  /** @param more so many of the ends that are added now came before it */
  #put(name: Column, value: number, more = 0): void {
    const column = this.#columns[name];
    if (column !== undefined) column.push(value);
    else if (value !== 0) this.#columns[name] = [...new Array<number>(this.count + more).fill(0), value];
  }

  #join(position: number, fence: number, count: number): void {
    const runs = this.#runs;
    const last = runs.length - 3;
    const length = last >= 0 ? runs[last + 2]! : 0;
    if (last >= 0 && runs[last]! + length === position && runs[last + 1]! + length === fence) runs[last + 2]! += count;
    else runs.push(position, fence, count);
    this.count += count;
    this.minPosition = Math.min(this.minPosition, position);
    this.maxPosition = Math.max(this.maxPosition, position + count - 1);
  }

  /** Those that were no success, in the order in which they came. */
  *badEnds(): Generator<{ position: number; attempt: number }> {
    const { outcome, attempt } = this.#columns;
    let at = 0;
    for (let run = 0; run < this.#runs.length; run += 3) {
      for (let offset = 0; offset < this.#runs[run + 2]!; offset++, at++) {
        if ((outcome?.[at] ?? 0) !== 0) yield { position: this.#runs[run]! + offset, attempt: attempt?.[at] ?? 0 };
      }
    }
  }

  pack(): Uint8Array {
    const writer = new PackedWriter();
    const { suspendedMs, resultBytes } = this.#columns;
    const format = resultBytes !== undefined ? 3 : suspendedMs !== undefined ? 2 : 1;
    writer.number(format);
    writer.number(this.endedAt);
    writer.number(this.count);
    writer.number(this.#runs.length / 3);
    for (const value of this.#runs) writer.number(value);
    for (const name of COLUMNS_OF[format - 1]!) {
      const column = name === 'resultOffset' ? gapsOf(this.#columns.resultOffset, resultBytes!) : this.#columns[name];
      writer.number(column === undefined ? 0 : 1);
      if (column === undefined) continue;
      if (PLAIN.has(name)) for (const value of column) writer.number(value);
      else writer.runs(column, 0, this.count);
    }
    return writer.bytes();
  }
}

/** Results are written one behind the other: only where one does not begin at the end of the one before, that says anything. */
function gapsOf(offsets: readonly number[] | undefined, bytes: readonly number[]): number[] {
  let end = 0;
  return bytes.map((length, at) => {
    const offset = offsets?.[at] ?? 0;
    const gap = offset - end;
    end = offset + length;
    return gap < 0 ? -2 * gap - 1 : 2 * gap;
  });
}

/** Undoes `gapsOf` in place. */
function closeGaps({ resultOffset, resultBytes }: Record<Column, number[]>): void {
  let end = 0;
  for (const [at, gap] of resultOffset.entries()) {
    const offset = end + (gap % 2 === 1 ? -(gap + 1) / 2 : gap / 2);
    resultOffset[at] = offset;
    end = offset + resultBytes[at]!;
  }
}

/** The ended attempts of a packed chunk, in the order they were reported: all, or those at the positions that are wanted. */
export function unpackEnds(data: Uint8Array, wanted: (position: number) => boolean = () => true): EndRecord[] {
  const reader = new PackedReader(data);
  const format = reader.number();
  const known = COLUMNS_OF[format - 1];
  if (known === undefined)
    throw new RangeError(`chunk of ends has format ${format}, expected 1 to ${COLUMNS_OF.length}`);
  const endedAt = reader.number();
  const count = reader.number();
  const runs = Array.from({ length: reader.number() * 3 }, () => reader.number());
  const columns = {} as Record<Column, number[]>;
  for (const name of COLUMNS) {
    const column = new Array<number>(count).fill(0);
    if (known.includes(name) && reader.number() === 1) {
      if (PLAIN.has(name)) for (let at = 0; at < count; at++) column[at] = reader.number();
      else reader.runs(column, 0, count);
    }
    columns[name] = column;
  }
  if (known === COLUMNS) closeGaps(columns);
  const records: EndRecord[] = [];
  let number = 0;
  for (let run = 0; run < runs.length; run += 3) {
    for (let at = 0; at < runs[run + 2]!; at++, number++) {
      if (!wanted(runs[run]! + at)) continue;
      const row = { position: runs[run]! + at, fence: runs[run + 1]! + at, endedAt } as EndRecord;
      for (const name of COLUMNS) row[name] = columns[name][number]!;
      records.push(row);
    }
  }
  return records;
}
