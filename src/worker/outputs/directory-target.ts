import { chmodSync, mkdirSync } from 'node:fs';
import { chmod, lstat, mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hashFile } from './file-hash.ts';
import { UNFINISHED } from './output-name.ts';
import type { OutputTarget } from './staged-output.ts';

/** An output directory. What is not finished lies in `.spawn` below it, so that a rename puts it in its place. */
export class DirectoryTarget implements OutputTarget {
  readonly #to: string;
  readonly #stage: string;
  readonly #task: string;
  readonly #mode: number;

  /**
   * @param to absolute
   * @param task `JOB-POSITION`
   * @param umask of the task: the worker's own keeps others out
   */
  constructor(to: string, task: string, fence: number, umask: number) {
    this.#to = to;
    this.#task = task;
    this.#mode = 0o777 & ~umask;
    this.#stage = join(to, UNFINISHED, `${task}-${fence}`);
  }

  /** Makes the directory, and those above it. */
  prepare(): void {
    const first = mkdirSync(this.#to, { recursive: true });
    if (first === undefined) return;
    for (let path = this.#to; path.length >= first.length; path = dirname(path)) chmodSync(path, this.#mode);
  }

  get stage(): string {
    return this.#stage;
  }

  async publish(name: string, path: string): Promise<{ readonly size: number; readonly sha256: string }> {
    const found = await hashFile(path);
    await this.#makeFolders(name);
    await rename(path, join(this.#to, name));
    return found;
  }

  /** Their names are on disk; what earlier attempts of the task left behind goes. */
  async finish(names: readonly string[]): Promise<void> {
    for (const folder of new Set(names.map((name) => dirname(join(this.#to, name))))) await syncFolder(folder);
    const unfinished = join(this.#to, UNFINISHED);
    const own = Number(this.#stage.slice(this.#stage.lastIndexOf('-') + 1));
    for (const left of await readdir(unfinished).catch(() => [])) {
      const fence = left.startsWith(`${this.#task}-`) ? Number(left.slice(this.#task.length + 1)) : Number.NaN;
      if (fence < own) await rm(join(unfinished, left), { recursive: true, force: true }).catch(() => undefined);
    }
  }

  async clear(): Promise<void> {
    await rm(this.#stage, { recursive: true, force: true }).catch(() => undefined);
    // The last one takes the folder along.
    await rmdir(dirname(this.#stage)).catch(() => undefined);
  }

  /** A link below the output would lead out of it. */
  async #makeFolders(name: string): Promise<void> {
    let folder = this.#to;
    for (const word of name.split('/').slice(0, -1)) {
      folder = join(folder, word);
      const isNew = await mkdir(folder).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error;
        },
      );
      if (isNew) await chmod(folder, this.#mode);
      if (!(await lstat(folder)).isDirectory())
        throw new Error(`${folder}: expected a directory, found something else`);
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
