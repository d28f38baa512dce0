import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { MAX_BLOB_BYTES } from '../../api/limits.ts';
import { SpawnError } from '../../core/errors.ts';
import type { World } from '../world.ts';
import type { Given } from './options.ts';

type Where = '--user-data' | '--user-data-file';

/**
 * The script that runs when an instance first starts: UTF-8 text without NUL bytes, at most 16 MiB.
 * @throws SpawnError FILE_NOT_FOUND, FILE_UNREADABLE, SCRIPT_TOO_LARGE, USAGE
 */
export async function readUserData(
  given: Pick<Given, Where extends `--${infer Name}` ? Name : never>,
  world: Pick<World, 'cwd' | 'stdin'>,
): Promise<Uint8Array | undefined> {
  const { 'user-data': text, 'user-data-file': file } = given;
  if (file !== undefined) return check('--user-data-file', file, readFile('--user-data-file', file, world.cwd));
  if (text === undefined) return undefined;
  if (text === '@-') return check('--user-data', '(standard input)', await readInput(world));
  if (!text.startsWith('@')) return check('--user-data', 'text', new TextEncoder().encode(text));
  const path = text.slice(1);
  if (path === '')
    throw new SpawnError('BAD_REQUEST', { where: '--user-data', expected: 'a file after "@"', found: text });
  return check('--user-data', path, readFile('--user-data', path, world.cwd));
}

function readFile(where: Where, path: string, cwd: string): Uint8Array {
  const absolute = resolve(cwd, path);
  try {
    const stat = statSync(absolute);
    if (stat.isFile() && stat.size > MAX_BLOB_BYTES) throw tooLarge(path, stat.size);
    if (!stat.isFile() && !stat.isDirectory()) {
      throw new SpawnError('FILE_UNREADABLE', {
        where,
        path,
        why: 'it is not a regular file; @- reads standard input',
      });
    }
    return readFileSync(absolute);
  } catch (error) {
    if (error instanceof SpawnError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new SpawnError('FILE_NOT_FOUND', { where, path });
    const why = code === 'EACCES' ? 'permission denied' : code === 'EISDIR' ? 'it is a directory' : code;
    throw new SpawnError('FILE_UNREADABLE', { where, path, why }, { cause: error });
  }
}

async function readInput({ stdin }: Pick<World, 'stdin'>): Promise<Uint8Array> {
  if (stdin.isTTY) {
    throw new SpawnError('USAGE', { message: '--user-data @-: expected a script on standard input, found a terminal' });
  }
  const bytes = await stdin.read(MAX_BLOB_BYTES);
  if (bytes === undefined) throw tooLarge('(standard input)', `more than ${MAX_BLOB_BYTES}`);
  return bytes;
}

function tooLarge(path: string, size: number | string): SpawnError {
  return new SpawnError('SCRIPT_TOO_LARGE', { path, size, max: MAX_BLOB_BYTES });
}

function check(where: Where, name: string, bytes: Uint8Array): Uint8Array {
  const bad = (expected: string, found: string): never => {
    throw new SpawnError('USAGE', { message: `${where} ${name}: expected ${expected}, found ${found}` });
  };
  if (bytes.length > MAX_BLOB_BYTES) throw tooLarge(name, bytes.length);
  if (bytes.length === 0) bad('a script', 'nothing in it');
  if (bytes.includes(0)) bad('text', 'a NUL byte');
  let text = '';
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    bad('UTF-8 text', 'something else');
  }
  if (/^#![^\n]*\r\n/.test(text)) bad('a first line that ends in LF', 'CR LF, as Windows writes it');
  return bytes;
}
