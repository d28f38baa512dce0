import { extname } from 'node:path';
import { MAX_ARRAY_SIZE } from '../api/limits.ts';
import { MAX_ROWS, type ParamFile, ParamReader, type SweepFile } from './param-sets.ts';
import { parseJsonText, parseYamlText, readTextFile, type TextDocument } from './text-document.ts';

export type { FileOption, ParamFile, SweepFile } from './param-sets.ts';

/**
 * Reads sets of parameters: `.json`, `.yaml`, `.yml` with `defaults`, `grid` (every combination) and `params` (a list), or `.csv`. Any other
 * file is JSON.
 * @throws SpawnError naming file, line, column and field
 */
export async function readParamFile(path: string, absolute: string): Promise<ParamFile> {
  const text = readTextFile('--param-file', path, absolute).replace(/^\uFEFF/, '');
  return new ParamReader(path, await parse(path, text), MAX_ROWS).read();
}

/**
 * The same for tasks: there may be far more of them, and a table in CSV may be of any length.
 * @throws SpawnError naming file, line, column and field
 */
export async function openSweepFile(path: string, absolute: string): Promise<SweepFile> {
  if (extname(path).toLowerCase() === '.csv') {
    const { readCsvRows } = await import('./param-file-csv.ts');
    let line = 1;
    const reader = new ParamReader(path, { value: {}, place: () => `${path}:${line}` }, MAX_ARRAY_SIZE);
    async function* sets() {
      for await (const row of readCsvRows(path, absolute)) {
        line = row.line;
        yield reader.set({}, row.fields, ['params']);
      }
    }
    return { options: [], notes: [], sets: sets() };
  }
  const text = readTextFile('--param-file', path, absolute).replace(/^\uFEFF/, '');
  return new ParamReader(path, await parse(path, text), MAX_ARRAY_SIZE).open();
}

async function parse(path: string, text: string): Promise<TextDocument> {
  switch (extname(path).toLowerCase()) {
    case '.csv':
      // Loaded here only: most sweeps need none of it.
      return (await import('./param-file-csv.ts')).parseCsvText(path, text, MAX_ROWS);
    case '.yaml':
    case '.yml':
      return parseYamlText(path, text);
    default:
      return parseJsonText(path, text);
  }
}
