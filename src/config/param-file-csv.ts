import { type CsvError, parse } from 'csv-parse/sync';
import { SpawnError } from '../core/errors.ts';
import type { Plain, TextDocument } from './text-document.ts';

interface Line {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * Reads a table with a header as `params`: a row a member, a column a parameter. An empty cell is no value.
 * @param maxRows of those beyond, one is read
 * @throws SpawnError USAGE with `path:line`
 */
export function parseCsvText(path: string, text: string, maxRows: number): TextDocument {
  // One more than there may be, so that it can be told; a file of millions need not be read to its end for that.
  const lines = readLines(path, text, maxRows + 2);
  const [header, ...rows] = lines;
  if (header === undefined) throw usage(`${path}: expected a line of names, found nothing`);
  const names = header.record.map((name) => name.trim());
  names.forEach((name, column) => {
    if (name === '') throw usage(`${path}:1: expected a name in column ${column + 1}, found nothing`);
    if (names.indexOf(name) < column)
      throw usage(`${path}:1: expected column ${JSON.stringify(name)} once, found twice`);
  });
  const params = rows.map(({ record, info }): Plain => {
    if (record.length !== names.length) {
      throw usage(`${path}:${info.lines}: expected ${names.length} columns as in line 1, found ${record.length}`);
    }
    return Object.fromEntries(names.flatMap((name, at) => (record[at] === '' ? [] : [[name, record[at]!]])));
  });
  return {
    value: { params },
    place: ([, row]) => (typeof row === 'number' ? `${path}:${rows[row]?.info.lines ?? 1}` : path),
  };
}

function readLines(path: string, text: string, most: number): readonly Line[] {
  try {
    // It knows that `info` gives the lines too, its types do not.
    return parse(text, {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      to: most,
    }) as unknown as readonly Line[];
  } catch (cause) {
    const { message, lines } = cause as CsvError & { readonly lines?: number };
    throw usage(
      `${path}${lines === undefined ? '' : `:${lines}`}: expected CSV, found a fault: ${message.split('\n', 1)[0]}`,
    );
  }
}

function usage(message: string): SpawnError {
  return new SpawnError('USAGE', { message });
}
