import { closeSync, openSync, readSync } from 'node:fs';
import { isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { MAX_BLOB_BYTES } from '../api/limits.ts';
import { SpawnError } from '../core/errors.ts';
import { jsonFault } from './json-file.ts';
import { findJsonNameTwice, findJsonValue } from './json-keys.ts';

/** What a document holds: every scalar is the text that was written (`1e-4`, `true`), null where nothing was. */
export type Plain = string | null | readonly Plain[] | { readonly [key: string]: Plain };

/** A file of JSON or YAML as read, with the way to say where something stands in it. */
export interface TextDocument {
  readonly value: Plain;
  /** `params.json:3:14` of a path of keys; the path of the file where that cannot be told. */
  place(path: readonly (string | number)[]): string;
}

/** What V8 says when a text nests too deep for a reader that calls itself. */
const NO_STACK = 'Maximum call stack';
const PIECE_BYTES = 1024 * 1024;
/** Aliases of YAML that may be followed: more would be a way to fill the memory. */
const MAX_ALIASES = 100;

/**
 * Reads a file as UTF-8 text without its byte order mark.
 * @param option that named the file
 * @param path as errors call it
 * @throws SpawnError FILE_NOT_FOUND, FILE_UNREADABLE, BAD_REQUEST
 */
export function readTextFile(option: string, path: string, absolute: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readUpTo(absolute, MAX_BLOB_BYTES + 1);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new SpawnError('FILE_NOT_FOUND', { where: option, path });
    const why = code === 'EACCES' ? 'permission denied' : code === 'EISDIR' ? 'it is a directory' : code;
    throw new SpawnError('FILE_UNREADABLE', { where: option, path, why }, { cause: error });
  }
  if (bytes.length > MAX_BLOB_BYTES) {
    const message = `${option} ${path}: expected at most ${MAX_BLOB_BYTES} bytes, found more`;
    throw new SpawnError('USAGE', { message });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SpawnError('FILE_UNREADABLE', { where: option, path, why: 'it is not UTF-8 text' }, { cause });
  }
}

/** Also of a pipe, as `<(…)` of a shell, or a device without an end. */
function readUpTo(path: string, most: number): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const pieces: Uint8Array[] = [];
    for (let left = most; left > 0; ) {
      const piece = new Uint8Array(Math.min(left, PIECE_BYTES));
      const count = readSync(file, piece);
      if (count === 0) break;
      pieces.push(piece.subarray(0, count));
      left -= count;
    }
    return Buffer.concat(pieces);
  } finally {
    closeSync(file);
  }
}

/** @throws SpawnError USAGE with `path:line:column` */
export function parseJsonText(path: string, text: string): TextDocument {
  let value: Plain;
  try {
    value = JSON.parse(text, asWritten as (key: string, value: unknown) => unknown) as Plain;
  } catch (cause) {
    throw cause instanceof RangeError ? tooDeep(path, cause) : jsonFault(path, text, cause);
  }
  const twice = findJsonNameTwice(text);
  if (twice !== undefined) {
    const message = `${placeAt(path, text, twice.at)}: expected ${JSON.stringify(twice.name)} once, found twice`;
    throw new SpawnError('USAGE', { message });
  }
  return { value, place: (keys) => placeAt(path, text, findJsonValue(text, keys)) };
}

function placeAt(path: string, text: string, at: number | undefined): string {
  if (at === undefined) return path;
  const before = text.slice(0, at);
  return `${path}:${before.split('\n').length}:${at - before.lastIndexOf('\n')}`;
}

function tooDeep(path: string, cause: unknown): SpawnError {
  const message = `${path}: expected objects and lists a few levels deep, found more levels than can be read`;
  return new SpawnError('USAGE', { message }, { cause });
}

/** Numbers lose digits when they are read as such: what was written is what a task shall get. */
function asWritten(_: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value === 'number') return context.source ?? String(value);
  return typeof value === 'boolean' ? String(value) : value;
}

/** @throws SpawnError USAGE with `path:line:column` */
export function parseYamlText(path: string, text: string): TextDocument {
  const read = readYaml(text);
  const fault = read.document.errors[0];
  if (fault !== undefined) {
    if (fault.message.startsWith(NO_STACK)) throw tooDeep(path, fault);
    const at = read.lines.linePos(fault.pos[0]);
    const [said = ''] = fault.message.split(/ at line \d+|; |\n/);
    throw new SpawnError('USAGE', { message: `${path}:${at.line}:${at.col}: expected YAML, found a fault: ${said}` });
  }
  visit(read.document, {
    Scalar: (_, node) => {
      const source = node.source ?? '';
      if (node.type === 'PLAIN' && /^(?:~|null|Null|NULL|)$/.test(source)) node.value = null;
    },
  });
  let value: Plain;
  try {
    value = read.document.toJS({ maxAliasCount: MAX_ALIASES }) as Plain;
  } catch (cause) {
    if (cause instanceof RangeError) throw tooDeep(path, cause);
    const why = (cause as Error).message.split('\n', 1)[0];
    throw new SpawnError('USAGE', { message: `${path}: expected YAML, found a fault: ${why}` }, { cause });
  }
  return { value, place: (keys) => placeIn(read, path, keys) };
}

function readYaml(text: string) {
  const lines = new LineCounter();
  // With this schema every scalar is text as it was written.
  const document = parseDocument(text, { schema: 'failsafe', lineCounter: lines, merge: true, logLevel: 'error' });
  return { lines, document };
}

function placeIn(
  { document, lines }: ReturnType<typeof readYaml>,
  path: string,
  keys: readonly (string | number)[],
): string {
  for (let depth = keys.length; depth > 0; depth--) {
    const node: unknown = document.getIn(keys.slice(0, depth), true);
    const range = isScalar(node) || hasRange(node) ? node.range : undefined;
    if (range) {
      const { line, col } = lines.linePos(range[0]);
      return `${path}:${line}:${col}`;
    }
  }
  return path;
}

function hasRange(node: unknown): node is { readonly range?: readonly [number, number, number] | null } {
  return typeof node === 'object' && node !== null && 'range' in node;
}
