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

/** Gathers the ends of one job in one commit. */
export class EndChunk {
  /** (position, fence, count) triples: fences and positions grow together. */
  readonly #runs: number[] = [];
  readonly #columns: Record<Column, number[]>;
  /** Those that are filled: the columns of results once an end has one. */
  #filled: readonly Column[] = COLUMNS_OF[1];
  readonly endedAt: number;
  count = 0;
  /** Of them, those that were no success. */
  bad = 0;
  minPosition = Number.MAX_SAFE_INTEGER;
  maxPosition = 0;

  constructor(endedAt: number) {
    this.endedAt = endedAt;
    this.#columns = Object.fromEntries(COLUMNS.map((name) => [name, [] as number[]])) as Record<Column, number[]>;
  }

  add(end: NewEnd): void {
    const runs = this.#runs;
    const last = runs.length - 3;
    const length = last >= 0 ? runs[last + 2]! : 0;
    if (last >= 0 && runs[last]! + length === end.position && runs[last + 1]! + length === end.fence) runs[last + 2]!++;
    else runs.push(end.position, end.fence, 1);
    if (this.#filled !== COLUMNS && (end.resultBytes ?? 0) > 0) {
      for (const name of RESULT_COLUMNS) this.#columns[name] = new Array<number>(this.count).fill(0);
      this.#filled = COLUMNS;
    }
    for (const name of this.#filled) this.#columns[name].push(end[name] ?? 0);
    this.count++;
    if (end.outcome !== 0) this.bad++;
    if (end.position < this.minPosition) this.minPosition = end.position;
    if (end.position > this.maxPosition) this.maxPosition = end.position;
  }

  /** Those that were no success, in the order in which they came. */
  *badEnds(): Generator<{ position: number; attempt: number }> {
    const { outcome, attempt } = this.#columns;
    let at = 0;
    for (let run = 0; run < this.#runs.length; run += 3) {
      for (let offset = 0; offset < this.#runs[run + 2]!; offset++, at++) {
        if (outcome[at] !== 0) yield { position: this.#runs[run]! + offset, attempt: attempt[at]! };
      }
    }
  }

  pack(): Uint8Array {
    const writer = new PackedWriter();
    const format = this.#filled === COLUMNS ? 3 : this.#columns.suspendedMs.every((value) => value === 0) ? 1 : 2;
    writer.number(format);
    writer.number(this.endedAt);
    writer.number(this.count);
    writer.number(this.#runs.length / 3);
    for (const value of this.#runs) writer.number(value);
    for (const name of COLUMNS_OF[format - 1]!) {
      const column = name === 'resultOffset' ? gapsOf(this.#columns) : this.#columns[name];
      if (column.every((value) => value === 0)) {
        writer.number(0);
      } else if (PLAIN.has(name)) {
        writer.number(1);
        for (const value of column) writer.number(value);
      } else {
        writer.number(1);
        writer.runs(column, 0, this.count);
      }
    }
    return writer.bytes();
  }
}

/** Results are written one behind the other: only where one does not begin at the end of the one before, that says anything. */
function gapsOf({ resultOffset, resultBytes }: Record<Column, number[]>): number[] {
  let end = 0;
  return resultOffset.map((offset, at) => {
    const gap = offset - end;
    end = offset + resultBytes[at]!;
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
