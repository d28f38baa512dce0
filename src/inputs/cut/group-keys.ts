import { decode } from '../encoding.ts';
import type { PlannedSource } from '../plan/manifest.ts';
import {
  type CsvInput,
  charsetOfPlanned,
  columnsOf,
  jsonTextOf,
  lineEndOfPlanned,
  type RecordInput,
  recordText,
  shapeOf,
} from '../record-input.ts';
import { type Cell, findCell, SeenCells } from '../records/csv-cell.ts';
import { parsePath } from '../records/json-path.ts';
import { CR, textEnd } from '../records/lines.ts';
import type { Found } from '../records/scan.ts';
import { badInput } from '../refuse.ts';
import type { Window } from '../window.ts';

/** Characters of a value that records are grouped by. */
const MOST_KEY_LENGTH = 1_024;

type KeysOf = (window: Window, found: Found) => void;
type KeyOf = (
  window: Window,
  from: number,
  to: number,
) => string | { readonly expected: string; readonly found: string };

/** Finds what each record is grouped by; a record that has no such value gets a fault. */
export function groupKeys(input: RecordInput, group: string, row: PlannedSource, columns?: readonly string[]): KeysOf {
  const keyOf = input.type === 'csv' ? cellOf(input, group, row, columns) : fieldOf(group);
  return (window, found) => {
    const faulty = new Set(found.faults.map(({ record }) => record));
    let begin = window.start;
    for (let record = 0; record < found.count; record++) {
      const end = found.ends[record]!;
      if (!faulty.has(record)) {
        const key = keyOf(window, begin, end);
        if (typeof key === 'string' && key.length <= MOST_KEY_LENGTH) found.keys[record] = key;
        else {
          const long = { expected: `at most ${MOST_KEY_LENGTH} characters in ${group}`, found: 'more' };
          const { expected, found: there } = typeof key === 'string' ? long : key;
          found.faults.push({ record, at: begin, expected, found: there, fatal: false });
        }
      }
      begin = end;
    }
    found.faults.sort((a, b) => a.record - b.record);
  };
}

function cellOf(input: CsvInput, group: string, row: PlannedSource, columns: readonly string[] | undefined): KeyOf {
  const column = columns === undefined ? Number(group) - 1 : columns.indexOf(group);
  if (!Number.isInteger(column) || column < 0) {
    const expected =
      columns === undefined ? 'the number of a column, from 1' : `one of the columns ${columns.join(', ')}`;
    throw badInput('input.cut.group', expected, JSON.stringify(group));
  }
  const lineEnd = lineEndOfPlanned(row);
  const { encoding, unit } = charsetOfPlanned(row);
  const shape = shapeOf(input, encoding, lineEnd, undefined);
  const none = { expected: `a column ${group}`, found: 'fewer columns' };
  if (shape.delimiter.length > 1)
    return (window, from, to) => columnsOf(input, recordText(window, from, to, lineEnd))[column] ?? none;
  const cell: Cell = { from: 0, to: 0, doubled: false };
  const seen = new SeenCells();
  const [quote, two] = [input.quote, input.quote + input.quote];
  return (window, from, to) => {
    const { units, bytes } = window;
    let begin = from;
    while (units[begin] === lineEnd || units[begin] === CR) begin++;
    const record = { from: begin, to: textEnd(units, begin, to, lineEnd) };
    if (!findCell(units, record, shape, column, cell)) return none;
    const make = () => decode(bytes, encoding, cell.from * unit, cell.to * unit);
    return cell.doubled ? make().replaceAll(two, quote) : seen.text(units, cell.from, cell.to, make);
  };
}

function fieldOf(group: string): KeyOf {
  const path = parsePath(group);
  return (window, from, to) => {
    let value: unknown = JSON.parse(jsonTextOf(window, from, to));
    for (const name of path) {
      const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
      value = isObject ? (value as Record<string, unknown>)[name] : undefined;
    }
    if (typeof value === 'string') return value;
    if (typeof value === 'object' && value !== null)
      return {
        expected: `a text, number, true, false or null in ${group}`,
        found: Array.isArray(value) ? 'an array' : 'an object',
      };
    return value === undefined ? { expected: `a field ${group}`, found: 'none' } : String(value);
  };
}
