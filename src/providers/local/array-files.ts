import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { SharedFile } from '../provider.ts';
import { writeWhole } from './sandbox-directory.ts';
import { BESIDE, IN_ARRAY, IN_SANDBOX } from './sandbox-paths.ts';

/** Read only: what one member wrote would be read by all. */
const MODE = 0o444;
/** Of arrays that are gone, at most so many are remembered. */
const MOST_FORGOTTEN = 256;

/** Texts that all members of an array have and that change: each is on the disk once, and one rename is enough to change it for all of them. */
export class ArrayFiles {
  readonly #instances: string;
  /** By path. */
  readonly #versions = new Map<string, number>();

  /** @param instances where the directories of instances are */
  constructor(instances: string) {
    this.#instances = instances;
  }

  /** Unless this version or a newer one is there. */
  write(arrayId: string, name: string, file: SharedFile, version: number): string {
    const path = join(this.#instances, BESIDE.arrays, arrayId, IN_ARRAY.files, name);
    if ((this.#versions.get(path) ?? -1) >= version && existsSync(path)) return path;
    makeOpen(dirname(path));
    writeWhole(path, file.text(), MODE);
    this.#versions.delete(path);
    this.#versions.set(path, version);
    if (this.#versions.size > MOST_FORGOTTEN) this.#forgetGone();
    return path;
  }

  /** Makes `at`, in the directory of a sandbox, lead to it: seen from inside as well as from outside. */
  show(path: string, directory: string, at: string): void {
    const draft = `${at}.link`;
    rmSync(draft, { force: true });
    const up = '../'.repeat(at.slice(join(directory, IN_SANDBOX.spawn).length).split('/').length - 1);
    symlinkSync(`${up}${IN_SANDBOX.array}/${IN_ARRAY.files}/${basename(path)}`, draft);
    renameSync(draft, at);
  }

  #forgetGone(): void {
    for (const path of this.#versions.keys()) if (!existsSync(path)) this.#versions.delete(path);
  }
}

/** Every user inside may go through it, whatever the umask of this process is; nobody but its owner comes there from outside. */
function makeOpen(directory: string): void {
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o755);
  chmodSync(dirname(directory), 0o711);
}
