import { createHash } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SharedFile } from '../provider.ts';

/** Read only: what one instance wrote would be read by all. */
const MODE = 0o444;

/**
 * Texts that many instances have, each on the disk once: the files of the instances are names of the same one. It goes with the last of
 * them, at the next text.
 */
export class SharedFiles {
  readonly #directory: string;
  readonly #written = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#removeUnused();
  }

  /** Makes `path` a name of the file; false where that cannot be, because it has too many names or is on another disk. */
  link(file: SharedFile, path: string): boolean {
    const name = createHash('sha256').update(file.key).digest('hex').slice(0, 32);
    const shared = join(this.#directory, name);
    try {
      if (!this.#written.has(name)) this.#write(name, shared, file.text());
      linkSync(shared, path);
      return true;
    } catch (error) {
      this.#written.delete(name);
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (['EMLINK', 'EXDEV', 'EPERM', 'ENOENT'].includes(code)) return false;
      throw error;
    }
  }

  #write(name: string, path: string, text: string): void {
    this.#removeUnused();
    rmSync(path, { force: true });
    writeFileSync(path, text, { mode: 0o400, flag: 'wx' });
    // Whatever the umask of this process is.
    chmodSync(path, MODE);
    this.#written.add(name);
  }

  #removeUnused(): void {
    for (const name of readdirSync(this.#directory)) {
      const path = join(this.#directory, name);
      if (statSync(path).nlink > 1) continue;
      rmSync(path, { force: true });
      this.#written.delete(name);
    }
  }
}
