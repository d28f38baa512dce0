import type { Encoding, InputSpec } from '../api/data.ts';
import { SpawnError } from '../core/errors.ts';
import { type Charset, decode, unitsOf } from './encoding.ts';
import type { PlannedSource } from './plan/manifest.ts';
import { type CsvShape, csvScan } from './records/csv.ts';
import { fieldsOf } from './records/csv-fields.ts';
import { jsonArrayScan } from './records/json-array.ts';
import { parsePath } from './records/json-path.ts';
import { jsonlScan } from './records/jsonl.ts';
import { CR, LF, textEnd } from './records/lines.ts';
import type { Scan } from './records/scan.ts';
import { textScan } from './records/text.ts';
import type { Window } from './window.ts';

/** An input of characters, which records are found in. */
export type RecordInput = Extract<InputSpec, { type: 'text' | 'jsonl' | 'csv' | 'json' }>;
export type CsvInput = Extract<InputSpec, { type: 'csv' }>;

/** How records of a source are found. `fields`: how many a record of a table must have. */
export function scanOf(input: RecordInput, charset: Charset, lineEnd: number, fields: number | undefined): Scan {
  switch (input.type) {
    case 'text':
      return textScan(lineEnd);
    case 'jsonl':
      return jsonlScan();
    case 'json':
      return jsonArrayScan(parsePath(input.at));
    case 'csv':
      return csvScan(shapeOf(input, charset.encoding, lineEnd, fields));
  }
}

/** A table in units of an encoding. */
export function shapeOf(input: CsvInput, encoding: Encoding, lineEnd: number, fields: number | undefined): CsvShape {
  const delimiter = unitsOf(input.delimiter, encoding);
  const quote = unitsOf(input.quote, encoding);
  const [unit] = quote ?? [];
  if (delimiter === undefined || /[\r\n]/.test(input.delimiter) || input.delimiter.includes(input.quote))
    throw wrongField('delimiter', `characters of ${encoding} without line ends and quotes`, input.delimiter);
  if (unit === undefined || quote?.length !== 1 || unit < 0x20)
    throw wrongField(
      'quote',
      `a character that is one ${encoding === 'utf-8' ? 'byte in utf-8' : `unit in ${encoding}`}`,
      input.quote,
    );
  return { delimiter, quote: unit, lineEnd, fields: input.uneven === 'bad' ? fields : undefined };
}

function wrongField(field: string, expected: string, found: string): SpawnError {
  return new SpawnError('BAD_REQUEST', { where: `input.${field}`, expected, found });
}

/** The text of a record between two units of a window, without its line end. */
export function recordText(window: Window, from: number, to: number, lineEnd: number): string {
  const { unit, encoding } = window.charset;
  return decode(window.bytes, encoding, from * unit, textEnd(window.units, from, to, lineEnd) * unit);
}

/** The columns that a record of a table names. */
export function columnsOf(input: CsvInput, text: string): readonly string[] {
  let begin = 0;
  // Empty lines before it.
  while (text.charCodeAt(begin) === LF || text.charCodeAt(begin) === CR) begin++;
  return fieldsOf(begin === 0 ? text : text.slice(begin), input.delimiter, input.quote);
}

const BEFORE_ITEM = /^[\s,]+/;

/** The text of a JSON record, without the comma and space before it. */
export function jsonTextOf(window: Window, from: number, to: number): string {
  const { unit, encoding } = window.charset;
  return decode(window.bytes, encoding, from * unit, to * unit).replace(BEFORE_ITEM, '');
}

/** The charset of a source that a plan has looked at. */
export function charsetOfPlanned(source: PlannedSource): Charset {
  const encoding = source.encoding ?? 'utf-8';
  return { encoding, unit: encoding.startsWith('utf-16') ? 2 : 1, bom: source.bom ?? 0 };
}

export function lineEndOfPlanned(source: PlannedSource): number {
  return source.lineEnd ?? LF;
}
