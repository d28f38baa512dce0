import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { SpawnError } from '../../core/errors.ts';

/** A token is about 60 characters; certificates of a whole trust store are 200 KiB. */
const MAX_TOKEN_FILE_BYTES = 4_096;
const MAX_CA_FILE_BYTES = 4 * 1024 * 1024;

/** `spawn_`, the number of the token, and 256 random bits. */
const TOKEN = /^spawn_[1-9]\d{0,15}_[A-Za-z0-9_-]{43}$/;

/**
 * The token in a file, which nobody but its owner may read.
 *
 * @param where for the error: the setting or flag that names the file
 * @throws FILE_NOT_FOUND, FILE_UNREADABLE; BAD_REQUEST when others may read it or it holds no token
 */
export function readTokenFile(path: string, where: string): string {
  const { text, mode } = read(path, where, MAX_TOKEN_FILE_BYTES);
  if ((mode & 0o077) !== 0) {
    const found = `mode ${(mode & 0o7777).toString(8).padStart(4, '0')}`;
    const expected = 'mode 0600 (chmod 600): whoever can read the token can use it';
    throw new SpawnError('BAD_REQUEST', { where: `${where}: file ${path}`, expected, found });
  }
  return checkToken(text.trim(), `${where}: file ${path}`);
}

/** The token itself, if it looks like one. The error does not show what it is instead: that may be another secret. */
export function checkToken(token: string, where: string): string {
  if (TOKEN.test(token)) return token;
  const found = token === '' ? 'nothing' : `${token.length} other characters`;
  throw new SpawnError('BAD_REQUEST', { where, expected: 'a token as `spawn token create` printed it', found });
}

/** Certificates in PEM. Errors: FILE_NOT_FOUND, FILE_UNREADABLE; BAD_REQUEST when there is none in it. */
export function readCaFile(path: string, where: string): string {
  const { text } = read(path, where, MAX_CA_FILE_BYTES);
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  const expected = 'a certificate in PEM (-----BEGIN CERTIFICATE-----)';
  throw new SpawnError('BAD_REQUEST', { where: `${where}: file ${path}`, expected, found: 'none' });
}

/** The mode is of the very file that was read. */
function read(path: string, where: string, maxBytes: number): { text: string; mode: number } {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const stats = fstatSync(file);
    const bytes = Buffer.alloc(maxBytes + 1);
    let size = 0;
    for (let got = -1; got !== 0 && size < bytes.length; size += got)
      got = readSync(file, bytes, size, bytes.length - size, null);
    if (size > maxBytes) throw new SpawnError('FILE_UNREADABLE', { path, why: `more than ${maxBytes} bytes`, where });
    return { text: bytes.toString('utf8', 0, size), mode: stats.mode };
  } catch (error) {
    if (error instanceof SpawnError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new SpawnError('FILE_NOT_FOUND', { path, where }, { cause: error });
    throw new SpawnError('FILE_UNREADABLE', { path, why: message, where }, { cause: error });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
