import { chmodSync, closeSync, openSync } from 'node:fs';

/**
 * Makes an empty file of mode 0600 where there is none; SQLite gives its log files the mode of the database.
 *
 * A file that exists is never opened: closing any descriptor of it would end the locks that SQLite holds on it in this
 * process (fcntl(2), sqlite.org/howtocorrupt.html section 2.2).
 */
export function createPrivateFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    chmodSync(path, 0o600);
  }
}
