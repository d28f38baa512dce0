import { lstatSync, type Stats } from 'node:fs';
import { SpawnError } from '../../core/errors.ts';
import { makeDirectories } from './make-directories.ts';

/**
 * Makes sure that `path` is a directory which only this user may enter, and makes it if it is missing.
 *
 * @throws SOCKET_NOT_PRIVATE when it is a link, belongs to somebody else or lets others in: whoever can write there
 * can put a socket of their own in the place of ours, and read what is sent to it. In a shared /tmp anybody can
 * make a directory of the expected name first.
 */
export function makePrivateDirectory(path: string): void {
  const found = make(path) ?? whyNotPrivate(lstatSync(path));
  if (found !== undefined) {
    throw new SpawnError('SOCKET_NOT_PRIVATE', { path, expected: 'a directory of your own with mode 0700', found });
  }
}

/** What the system said when it cannot be made; something that is there already is looked at by the caller. */
function make(path: string): string | undefined {
  try {
    makeDirectories(path, 0o700);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'EEXIST' ? undefined : message;
  }
}

function whyNotPrivate(stats: Stats): string | undefined {
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (!stats.isDirectory()) return 'something that is not a directory';
  const uid = process.geteuid?.();
  if (uid !== undefined && stats.uid !== uid) return `one of the user with id ${stats.uid}`;
  if ((stats.mode & 0o077) !== 0) return `mode ${(stats.mode & 0o7777).toString(8).padStart(4, '0')}`;
  return undefined;
}
