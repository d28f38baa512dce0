import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { MAX_BLOB_BYTES } from '../api/limits.ts';
import { SpawnError } from '../core/errors.ts';

/** A script as it was when it was read; what becomes of the file later changes nothing. */
export interface Script {
  /** The file's name without its folders. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

const LF = 10;
const CR = 13;
/** What a look for NUL bytes covers, as grep(1) and git do to tell text from binary. */
const LOOKED_AT = 8_000;

/**
 * Reads a script file: a regular file of at most 16 MiB, text or anything with a `#!` line.
 * @throws SpawnError FILE_NOT_FOUND, FILE_UNREADABLE, SCRIPT_TOO_LARGE, USAGE
 */
export function readScriptFile(path: string): Script {
  const bytes = readRegularFile(path);
  checkScript(bytes, `script ${path}`);
  return { name: basename(path), bytes };
}

/**
 * Checks that bytes can be run as a script.
 * @param where how errors call it
 * @throws SpawnError USAGE
 */
export function checkScript(bytes: Uint8Array, where: string): void {
  const bad = (expected: string, found: string): never => {
    throw new SpawnError('USAGE', { message: `${where}: expected ${expected}, found ${found}` });
  };
  if (bytes.length === 0) bad('a script', 'nothing in it');
  if (bytes[0] === 0x23 && bytes[1] === 0x21) {
    const end = bytes.subarray(0, LOOKED_AT).indexOf(LF);
    if (end > 0 && bytes[end - 1] === CR) bad('a first line that ends in LF', 'CR LF, as Windows writes it');
    return;
  }
  if (bytes.subarray(0, LOOKED_AT).includes(0)) {
    bad('text or a #! line', 'a binary file; to run a program: spawn submit [options] -- PROGRAM');
  }
}

function readRegularFile(path: string): Uint8Array {
  let fd: number;
  try {
    // Without O_NONBLOCK a named pipe would be waited for before one can see that it is one.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw fileError(path, error);
  }
  try {
    const stat = fstatSync(fd);
    const why = stat.isDirectory() ? 'it is a directory' : 'it is not a regular file; give its text on standard input';
    if (!stat.isFile()) throw new SpawnError('FILE_UNREADABLE', { where: 'script', path, why });
    checkSize(stat.size, path);
    const bytes = readFileSync(fd);
    checkSize(bytes.length, path);
    return bytes;
  } finally {
    closeSync(fd);
  }
}

/** Once before reading, and once after: the file may be growing. */
function checkSize(size: number, path: string): void {
  if (size > MAX_BLOB_BYTES) throw new SpawnError('SCRIPT_TOO_LARGE', { path, size, max: MAX_BLOB_BYTES });
}

function fileError(path: string, error: unknown): SpawnError {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  if (code === 'ENOENT' || code === 'ENOTDIR') return new SpawnError('FILE_NOT_FOUND', { where: 'script', path });
  const why = code === 'EACCES' ? 'permission denied' : code;
  return new SpawnError('FILE_UNREADABLE', { where: 'script', path, why }, { cause: error });
}
