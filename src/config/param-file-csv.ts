import { createReadStream } from 'node:fs';
import { parse as parseStream } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { isSpawnError, SpawnError } from '../core/errors.ts';
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
  const names = namesOf(path, header);
  const params = rows.map((line): Plain => fieldsOf(path, names, line));
  return {
    value: { params },
    place: ([, row]) => (typeof row === 'number' ? `${path}:${rows[row]?.info.lines ?? 1}` : path),
  };
}

/** A row of a table that is read as it comes. */
interface Row {
  readonly line: number;
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * The same for a table of any length, a row at a time.
 * @throws SpawnError FILE_NOT_FOUND, FILE_UNREADABLE, USAGE with `path:line`
 */
export async function* readCsvRows(path: string, absolute: string): AsyncGenerator<Row> {
  const file = createReadStream(absolute);
  const lines = file.pipe(parseStream({ bom: true, info: true, relax_column_count: true, skip_empty_lines: true }));
  file.on('error', (error) => lines.destroy(error));
  let names: readonly string[] | undefined;
  try {
    for await (const line of lines as AsyncIterable<Line>) {
      if (names === undefined) names = namesOf(path, line);
      else yield { line: line.info.lines, fields: fieldsOf(path, names, line) };
    }
  } catch (cause) {
    throw toUsage(path, cause);
  } finally {
    file.destroy();
  }
  if (names === undefined) throw usage(`${path}: expected a line of names, found nothing`);
}

function namesOf(path: string, { record }: Line): readonly string[] {
  const names = record.map((name) => name.trim());
  names.forEach((name, column) => {
    if (name === '') throw usage(`${path}:1: expected a name in column ${column + 1}, found nothing`);
    if (names.indexOf(name) < column)
      throw usage(`${path}:1: expected column ${JSON.stringify(name)} once, found twice`);
  });
  return names;
}

function fieldsOf(path: string, names: readonly string[], { record, info }: Line): Readonly<Record<string, string>> {
  if (record.length !== names.length) {
    throw usage(`${path}:${info.lines}: expected ${names.length} columns as in line 1, found ${record.length}`);
  }
  return Object.fromEntries(names.flatMap((name, at) => (record[at] === '' ? [] : [[name, record[at]!]])));
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
    throw toUsage(path, cause);
  }
}

function toUsage(path: string, cause: unknown): unknown {
  if (isSpawnError(cause)) return cause;
  const { code = '', message, lines } = cause as Error & { readonly code?: string; readonly lines?: number };
  if (code === 'ENOENT' || code === 'ENOTDIR') return new SpawnError('FILE_NOT_FOUND', { where: '--param-file', path });
  if (!code.startsWith('CSV_')) {
    const why = code === 'EACCES' ? 'permission denied' : code === 'EISDIR' ? 'it is a directory' : code;
    return new SpawnError('FILE_UNREADABLE', { where: '--param-file', path, why }, { cause });
  }
  return usage(
    `${path}${lines === undefined ? '' : `:${lines}`}: expected CSV, found a fault: ${message.split('\n', 1)[0]}`,
  );
}

function usage(message: string): SpawnError {
  return new SpawnError('USAGE', { message });
}
