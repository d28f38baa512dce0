import { readFileSync } from 'node:fs';
import { MAX_BLOB_BYTES } from '../api/limits.ts';
import { SpawnError } from '../core/errors.ts';

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$' };

/** One variable of a file, with its place for what is found wrong with it later. */
export interface FileVariable {
  readonly name: string;
  readonly value: string;
  /** `run.env:3`. */
  readonly place: string;
}

/**
 * Reads variables from a file of `KEY=VALUE` lines:
 * - empty lines and lines that begin with `#` are left out; `export ` before a name means nothing
 * - a value without quotes ends at the end of the line or at ` #`, and loses spaces around it
 * - in single quotes everything stands for itself; in double quotes `\n \r \t \" \\ \$` mean what they mean in C and the shell.
 *   A quoted value may go on over lines. Nothing is looked up or run: `$HOME` is five characters.
 *
 * @param path as errors call it
 * @throws SpawnError FILE_NOT_FOUND, FILE_UNREADABLE, BAD_REQUEST with `path:line`
 */
export function readEnvFile(path: string, absolute: string): readonly FileVariable[] {
  return parseEnvFile(path, readText(path, absolute));
}

function readText(path: string, absolute: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(absolute);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new SpawnError('FILE_NOT_FOUND', { where: '--env-file', path });
    const why = code === 'EACCES' ? 'permission denied' : code === 'EISDIR' ? 'it is a directory' : code;
    throw new SpawnError('FILE_UNREADABLE', { where: '--env-file', path, why }, { cause: error });
  }
  if (bytes.length > MAX_BLOB_BYTES) {
    const expected = `at most ${MAX_BLOB_BYTES} bytes`;
    throw new SpawnError('BAD_REQUEST', { where: `--env-file ${path}`, expected, found: bytes.length });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SpawnError('FILE_UNREADABLE', { where: '--env-file', path, why: 'it is not UTF-8 text' }, { cause });
  }
}

/** @throws SpawnError BAD_REQUEST with `path:line` */
export function parseEnvFile(path: string, text: string): readonly FileVariable[] {
  const lines = text.split(/\r?\n/);
  const variables: FileVariable[] = [];
  for (let at = 0; at < lines.length; at++) {
    const place = `${path}:${at + 1}`;
    const line = lines[at]!.trim();
    if (line === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    const name = (equals < 0 ? line : line.slice(0, equals)).replace(/^export\s+/, '').trimEnd();
    // What stands there may be a piece of a secret, and is never told.
    if (equals < 0) bad(place, 'KEY=VALUE', 'no "="');
    if (name === '__proto__') bad(place, 'another name', 'it');
    if (!NAME.test(name)) bad(place, 'a name of letters, digits and "_", no digit first', 'something else');
    const raw = line.slice(equals + 1).trimStart();
    const quote = raw[0];
    if (quote !== '"' && quote !== "'") {
      variables.push({ name, value: raw.replace(/(?:^|\s+)#.*$/, '').trimEnd(), place });
      continue;
    }
    let quoted = lines[at]!.slice(lines[at]!.indexOf(quote, lines[at]!.indexOf('=')) + 1);
    let end = closing(quoted, quote);
    while (end < 0) {
      at += 1;
      if (at >= lines.length) bad(place, `a closing ${quote}`, 'the end of the file');
      quoted += `\n${lines[at]}`;
      end = closing(quoted, quote);
    }
    if (!/^\s*(?:#.*)?$/.test(quoted.slice(end + 1))) bad(place, `the end of the line after ${quote}`, 'more');
    const inside = quoted.slice(0, end);
    variables.push({ name, value: quote === "'" ? inside : unescaped(inside), place });
  }
  const nul = variables.find(({ value }) => value.includes('\0'));
  if (nul !== undefined) bad(nul.place, 'no NUL byte', 'one');
  return variables;
}

function bad(where: string, expected: string, found: string): never {
  throw new SpawnError('USAGE', { message: `${where}: expected ${expected}, found ${found}` });
}

/** Where a quoted value ends; -1 when it does not. */
function closing(text: string, quote: string): number {
  if (quote === "'") return text.indexOf("'");
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return -1;
}

function unescaped(text: string): string {
  return text.replace(/\\([nrt"\\$])/g, (_, char: string) => ESCAPES[char]!);
}
