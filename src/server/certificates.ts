import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { SpawnError } from '../core/errors.ts';

/** Files in PEM. */
export interface CertificateFiles {
  /** The certificate, then those between it and who signed it. */
  readonly certFile: string;
  /** Its private key, without a passphrase. */
  readonly keyFile: string;
}

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Reads both and tries them. Errors: FILE_NOT_FOUND, FILE_UNREADABLE; BAD_REQUEST when they are no pair, or all may read the key. */
export function readCertificate({ certFile, keyFile }: CertificateFiles): Certificate {
  const cert = read(certFile, '--tls-cert');
  const key = read(keyFile, '--tls-key');
  const mode = statSync(keyFile).mode & 0o7777;
  if ((mode & 0o007) !== 0) {
    const found = `mode ${mode.toString(8).padStart(4, '0')}`;
    const expected = 'a private key that others may not read (chmod 600)';
    throw new SpawnError('BAD_REQUEST', { where: `--tls-key: file ${keyFile}`, expected, found });
  }
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    const where = `--tls-cert ${certFile}, --tls-key ${keyFile}`;
    const found = (cause as Error).message;
    throw new SpawnError(
      'BAD_REQUEST',
      { where, expected: 'a certificate and its private key in PEM', found },
      { cause },
    );
  }
  return { cert, key };
}

/** Changes whenever one of the files does, also in that it cannot be reached. */
export function certificateState({ certFile, keyFile }: CertificateFiles): string {
  return [certFile, keyFile]
    .map((path) => {
      try {
        const { ino, size, mtimeMs } = statSync(path);
        return `${ino} ${size} ${mtimeMs}`;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code;
      }
    })
    .join('; ');
}

function read(path: string, where: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new SpawnError('FILE_NOT_FOUND', { path, where }, { cause: error });
    throw new SpawnError('FILE_UNREADABLE', { path, why: message, where }, { cause: error });
  }
}
