import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { SecretRef } from '../api/data.ts';
import { SpawnError } from '../core/errors.ts';

/** A password is short; a private key or a list of tokens is a few KiB. */
const MAX_SECRET_BYTES = 65_536;

/**
 * The secret that a reference means, without the line end after it. It is read anew each time, so that a changed one is
 * used at once; keep it no longer than needed, and out of every message.
 *
 * @param where for the error: the field that has the reference
 * @param env of the process that needs the secret
 * @throws SpawnError SECRET_MISSING with the place, never with what is there
 */
export function readSecret(ref: SecretRef, where: string, env: Readonly<Record<string, string | undefined>>): string {
  if ('env' in ref) {
    const secret = env[ref.env];
    const place = `variable ${ref.env}`;
    if (secret === undefined) throw new SpawnError('SECRET_MISSING', { where, place, found: 'no such variable' });
    return check(secret, where, place);
  }
  const place = `file ${ref.file}`;
  return check(readSecretFile(ref.file, where, place).replace(/\r?\n$/, ''), where, place);
}

function check(secret: string, where: string, place: string): string {
  if (secret === '') throw new SpawnError('SECRET_MISSING', { where, place, found: 'nothing in it' });
  if (secret.includes('\0')) throw new SpawnError('SECRET_MISSING', { where, place, found: 'a NUL byte in it' });
  return secret;
}

function readSecretFile(path: string, where: string, place: string): string {
  const missing = (found: string, cause?: unknown) =>
    new SpawnError('SECRET_MISSING', { where, place, found }, { cause });
  let file: number | undefined;
  try {
    // A fifo that nobody writes must not be waited for.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(file).isFile()) throw missing('something that is not a file');
    const bytes = Buffer.alloc(MAX_SECRET_BYTES + 1);
    let size = 0;
    for (let got = -1; got !== 0 && size < bytes.length; size += got)
      got = readSync(file, bytes, size, bytes.length - size, null);
    if (size > MAX_SECRET_BYTES) throw missing(`more than ${MAX_SECRET_BYTES} bytes`);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes.subarray(0, size));
  } catch (error) {
    if (error instanceof SpawnError) throw error;
    if (error instanceof TypeError) throw missing('bytes that are not UTF-8');
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw missing('no such file');
    throw missing(code === 'EACCES' ? 'a file that this user may not read' : `an error (${code})`, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
