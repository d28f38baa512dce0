import { decode } from '../encoding.ts';
import { type CsvInput, type RecordInput, recordText } from '../record-input.ts';
import { fieldsOf } from '../records/csv-fields.ts';
import { parsePath } from '../records/json-path.ts';
import type { Found } from '../records/scan.ts';
import { badInput } from '../refuse.ts';
import type { Window } from '../window.ts';

/** Characters of a value that records are grouped by. */
const MOST_KEY_LENGTH = 1_024;

type KeysOf = (window: Window, found: Found) => void;
type KeyOf = (text: string) => string | { readonly expected: string; readonly found: string };

/** Finds what each record is grouped by; a record that has no such value gets a fault. */
export function groupKeys(input: RecordInput, group: string, lineEnd: number, columns?: readonly string[]): KeysOf {
  const keyOf = input.type === 'csv' ? cellOf(input, group, columns) : fieldOf(group);
  return (window, found) => {
    const faulty = new Set(found.faults.map(({ record }) => record));
    let begin = window.start;
    for (let record = 0; record < found.count; record++) {
      const end = found.ends[record]!;
      if (!faulty.has(record)) {
        const text = input.type === 'csv' ? recordText(window, begin, end, lineEnd) : jsonText(window, begin, end);
        const key = keyOf(text);
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

function jsonText(window: Window, from: number, to: number): string {
  const { unit, encoding } = window.charset;
  return decode(window.bytes, encoding, from * unit, to * unit);
}

function cellOf(input: CsvInput, group: string, columns: readonly string[] | undefined): KeyOf {
  const at = columns === undefined ? Number(group) - 1 : columns.indexOf(group);
  if (!Number.isInteger(at) || at < 0) {
    const expected =
      columns === undefined ? 'the number of a column, from 1' : `one of the columns ${columns.join(', ')}`;
    throw badInput('input.cut.group', expected, JSON.stringify(group));
  }
  return (text) => {
    const fields = fieldsOf(text.replace(/^[\r\n]+/, ''), input.delimiter, input.quote);
    return fields[at] ?? { expected: `a column ${group}`, found: `${fields.length} columns` };
  };
}

function fieldOf(group: string): KeyOf {
  const path = parsePath(group);
  return (text) => {
    // An item of an array has the comma before it.
    let value: unknown = JSON.parse(text.replace(/^[\s,]+/, ''));
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
