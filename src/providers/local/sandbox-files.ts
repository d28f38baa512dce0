import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { SpawnError } from '../../core/errors.ts';
import type { SharedFile } from '../provider.ts';
import type { ArrayFiles } from './array-files.ts';
import { writeWhole } from './sandbox-directory.ts';
import { IN_SANDBOX } from './sandbox-paths.ts';
import type { SharedFiles } from './shared-files.ts';

/** As in any /etc: a daemon inside that gave up root has to read hosts and resolv.conf, too. */
const MODE = 0o644;
/** May hold secrets. */
const PRIVATE: ReadonlySet<string> = new Set(['environment', 'user-data']);

/** Where what many instances have is written once. */
export interface OnceWritten {
  readonly shared: SharedFiles;
  readonly arrays: ArrayFiles;
}

/** The files below /etc/spawn of one sandbox. */
export class SandboxFiles {
  readonly #directory: string;
  readonly #arrayId: string;
  readonly #once: OnceWritten;
  /** Names that lead to the file of the array. */
  readonly #linked = new Set<string>();

  constructor(directory: string, arrayId: string, once: OnceWritten) {
    this.#directory = directory;
    this.#arrayId = arrayId;
    this.#once = once;
  }

  /** Each one whole at once; null removes one. */
  write(files: Readonly<Record<string, string | SharedFile | null>>): void {
    for (const [name, content] of Object.entries(files)) this.#write(checkName(name), content);
  }

  #write(name: string, content: string | SharedFile | null): void {
    const path = join(this.#directory, IN_SANDBOX.spawn, name);
    if (content !== null && typeof content !== 'string' && content.version !== undefined) {
      const shown = this.#once.arrays.write(this.#arrayId, name, content, content.version);
      if (this.#linked.has(name)) return;
      this.#once.arrays.show(shown, this.#directory, path);
      this.#linked.add(name);
      return;
    }
    this.#linked.delete(name);
    if (content === null) {
      rmSync(path, { force: true });
      return;
    }
    if (name.includes('/')) mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    if (typeof content === 'string') writeText(path, content, PRIVATE.has(name) ? 0o600 : MODE);
    else writeShared(path, content, this.#once.shared);
  }
}

/** To make a file costs more than to see that it says the same already. */
function writeText(path: string, text: string, mode: number): void {
  try {
    if (readFileSync(path, 'utf8') === text) return;
  } catch {
    // It is not there yet.
  }
  writeWhole(path, text, mode);
}

function writeShared(path: string, file: SharedFile, shared: SharedFiles): void {
  const draft = `${path}.link`;
  rmSync(draft, { force: true });
  if (!shared.link(file, draft)) {
    writeWhole(path, file.text(), MODE);
    return;
  }
  renameSync(draft, path);
  // Renaming one name of a file onto another one of it does nothing (rename(2)).
  rmSync(draft, { force: true });
}

function checkName(name: string): string {
  if (name === normalize(name) && !name.startsWith('/') && !name.startsWith('..') && name !== '.') return name;
  throw new SpawnError('INTERNAL', { why: `expected the name of a file below /etc/spawn, found ${name}` });
}
