import { PackedReader, PackedWriter } from './packed.ts';

/** The second has one column more; it is written where that says something. */
const FORMATS = [1, 2] as const;

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
] as const;
type Column = (typeof COLUMNS)[number];
/** Those of the first format. */
const FIRST_COLUMNS = COLUMNS.slice(0, -1);

/** These hardly ever repeat, so they are written plainly; the others as runs. */
const PLAIN: ReadonlySet<Column> = new Set([
  'wallUs',
  'cpuUs',
  'maxRssKb',
  'logOffset',
  'logEndOffset',
  'outBytes',
  'errBytes',
]);

/** Gathers the ends of one job in one commit. */
export class EndChunk {
  /** (position, fence, count) triples: fences and positions grow together. */
  readonly #runs: number[] = [];
  readonly #columns: Record<Column, number[]>;
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

  add(end: Omit<EndRecord, 'endedAt' | 'suspendedMs'> & { readonly suspendedMs?: number }): void {
    const runs = this.#runs;
    const last = runs.length - 3;
    const length = last >= 0 ? runs[last + 2]! : 0;
    if (last >= 0 && runs[last]! + length === end.position && runs[last + 1]! + length === end.fence) runs[last + 2]!++;
    else runs.push(end.position, end.fence, 1);
    for (const name of COLUMNS) this.#columns[name].push(end[name] ?? 0);
    this.count++;
    if (end.outcome !== 0) this.bad++;
    if (end.position < this.minPosition) this.minPosition = end.position;
    if (end.position > this.maxPosition) this.maxPosition = end.position;
  }

  pack(): Uint8Array {
    const writer = new PackedWriter();
    const columns = this.#columns.suspendedMs.every((value) => value === 0) ? FIRST_COLUMNS : COLUMNS;
    writer.number(columns === COLUMNS ? FORMATS[1] : FORMATS[0]);
    writer.number(this.endedAt);
    writer.number(this.count);
    writer.number(this.#runs.length / 3);
    for (const value of this.#runs) writer.number(value);
    for (const name of columns) {
      const column = this.#columns[name];
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

/** The ended attempts of a packed chunk, in the order they were reported: all, or those at the positions that are wanted. */
export function unpackEnds(data: Uint8Array, wanted: (position: number) => boolean = () => true): EndRecord[] {
  const reader = new PackedReader(data);
  const format = reader.number();
  const [first, second] = FORMATS;
  if (format !== first && format !== second) {
    throw new RangeError(`chunk of ends has format ${format}, expected ${first} or ${second}`);
  }
  const endedAt = reader.number();
  const count = reader.number();
  const runs = Array.from({ length: reader.number() * 3 }, () => reader.number());
  const columns = {} as Record<Column, number[]>;
  for (const name of COLUMNS) {
    const column = new Array<number>(count).fill(0);
    if (name === 'suspendedMs' && format === first) {
      columns[name] = column;
      continue;
    }
    if (reader.number() === 1) {
      if (PLAIN.has(name)) for (let at = 0; at < count; at++) column[at] = reader.number();
      else reader.runs(column, 0, count);
    }
    columns[name] = column;
  }
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
