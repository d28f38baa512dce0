import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BESIDE } from './sandbox-paths.ts';
import { nativeProgram } from './sandbox-programs.ts';

/** Of this process, by directory: whether something came while the program was at work. */
const underWay = new Map<string, { again: boolean }>();
let last = 0;

/**
 * Takes the directory of an instance away at once, and its files soon: a thousand of them are many seconds of work, in which nobody else may have
 * to wait. A program that lives on without this process does it.
 */
export function discard(directory: string): void {
  const instances = dirname(directory);
  const trash = join(instances, BESIDE.gone);
  mkdirSync(trash, { recursive: true, mode: 0o700 });
  last += 1;
  try {
    renameSync(directory, join(trash, `${basename(directory)}-${process.pid}-${last}`));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  emptyTrash(instances);
}

/** Also what processes have left that were killed. */
export function emptyTrash(instances: string): void {
  const trash = join(instances, BESIDE.gone);
  const busy = underWay.get(trash);
  if (busy !== undefined) {
    busy.again = true;
    return;
  }
  if (!existsSync(trash) || readdirSync(trash).length === 0) return;
  const now = { again: false };
  underWay.set(trash, now);
  const over = (): void => {
    underWay.delete(trash);
    if (now.again) emptyTrash(instances);
  };
  const options = { argv0: 'instance', cwd: '/', env: {}, detached: true, stdio: 'ignore' } as const;
  const child = spawn(nativeProgram('instance'), ['remove', trash], options);
  child.unref();
  child.once('exit', over);
  child.once('error', () => {
    // No process can be started, as with the limit of the user reached.
    try {
      rmSync(trash, { recursive: true, force: true });
    } catch {
      // Something in it may not be read: it is left to the program, next time.
    }
    over();
  });
}
