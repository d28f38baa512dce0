import type { Charset } from '../encoding.ts';
import type { PlannedSource } from '../plan/manifest.ts';
import { charsetOfPlanned, jsonTextOf, lineEndOfPlanned, type RecordInput, scanOf } from '../record-input.ts';
import { jsonItemsScan } from '../records/json-array.ts';
import type { Scan } from '../records/scan.ts';
import type { Window } from '../window.ts';
import type { OpenExtent } from './extent-reader.ts';
import { type Records, walkRecords } from './record-walk.ts';

/** How the records of one of its sources are found in a part. */
export function partScan(input: RecordInput, row: PlannedSource, fields: number | undefined): Scan {
  if (input.type === 'json') return jsonItemsScan();
  return scanOf(input, charsetOfPlanned(row), lineEndOfPlanned(row), fields);
}

/**
 * The bytes of records as they stand in their source, with its header before them and without its byte order mark. Where a
 * stretch ends without a line end and another follows, one is put between. `checked`: the plan has looked at every record.
 */
export async function* recordBytes(
  input: RecordInput,
  extents: AsyncIterable<OpenExtent>,
  fieldsOf: (extent: OpenExtent) => Promise<number | undefined>,
  checked: boolean,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  let [isFirst, needsEnd]: [boolean, Uint8Array | undefined] = [true, undefined];
  for await (const extent of extents) {
    const { row, open, data, from, to } = extent;
    const lineEnd = lineEndBytes(charsetOfPlanned(row), lineEndOfPlanned(row));
    if (isFirst && row.header !== undefined) {
      let last: Uint8Array = lineEnd;
      for await (const chunk of open.read(row.header[0], row.header[1], signal)) {
        last = tail(last, chunk, lineEnd.length);
        yield chunk;
      }
      if (!isSame(last, lineEnd)) yield lineEnd;
    }
    isFirst = false;
    if (needsEnd !== undefined) yield needsEnd;
    let last: Uint8Array = lineEnd;
    const fields = await fieldsOf(extent);
    const chunks = checked ? data.read(from, to, signal) : checkedBytes(input, extent, fields, signal);
    for await (const chunk of chunks) {
      last = tail(last, chunk, lineEnd.length);
      yield chunk;
    }
    needsEnd = isSame(last, lineEnd) ? undefined : lineEnd;
  }
}

async function* checkedBytes(
  input: RecordInput,
  { data, row, from, to }: OpenExtent,
  fields: number | undefined,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  let at = from;
  for await (const records of walkRecords(data, row, from, to, partScan(input, row, fields), signal)) {
    const bytes = rawBytes(records, at);
    at += bytes.length;
    yield bytes;
  }
  // Blank lines at the end belong to no record.
  if (at < to) yield* data.read(at, to, signal);
}

/** A copy of what was walked over, as it was in the source; from a place of the source on, blank lines before it too. */
function rawBytes({ window, found }: Records, at: number): Uint8Array {
  const { unit, encoding } = window.charset;
  const bytes = Buffer.from(window.bytes.subarray(at - window.base, found.ends[found.count - 1]! * unit));
  return encoding === 'utf-16be' ? bytes.swap16() : bytes;
}

/** The items of arrays, one a line, in UTF-8: as they are written, but with spaces for their line ends. */
export async function* jsonLines(extents: AsyncIterable<OpenExtent>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  for await (const { data, row, from, to } of extents)
    for await (const { window, found, from: begin } of walkRecords(data, row, from, to, jsonItemsScan(), signal))
      yield Buffer.from(linesOf(window, found.ends, found.count, begin));
}

function linesOf(window: Window, ends: Uint32Array, count: number, from: number): string {
  let [text, begin] = ['', from];
  for (let record = 0; record < count; record++) {
    text += `${jsonTextOf(window, begin, ends[record]!).replaceAll(/[\r\n]/g, ' ')}\n`;
    begin = ends[record]!;
  }
  return text;
}

function lineEndBytes({ unit, encoding }: Charset, lineEnd: number): Uint8Array {
  if (unit === 1) return Uint8Array.of(lineEnd);
  return encoding === 'utf-16le' ? Uint8Array.of(lineEnd, 0) : Uint8Array.of(0, lineEnd);
}

/** The last bytes of all that was given so far. */
function tail(before: Uint8Array, chunk: Uint8Array, length: number): Uint8Array {
  if (chunk.length >= length) return chunk.slice(chunk.length - length);
  return Uint8Array.from([...before, ...chunk]).slice(-length);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
