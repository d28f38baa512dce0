import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { SpawnError } from '../../core/errors.ts';
import type { SharedFile } from '../provider.ts';
import { writeWhole } from './sandbox-directory.ts';
import { IN_SANDBOX } from './sandbox-paths.ts';
import type { SharedFiles } from './shared-files.ts';

/** As in any /etc: a daemon inside that gave up root has to read hosts and resolv.conf, too. */
const MODE = 0o644;
/** May hold secrets. */
const PRIVATE: ReadonlySet<string> = new Set(['environment', 'user-data']);

/** Writes files below /etc/spawn of a sandbox, each one whole at once; null removes one. */
export function writeSandboxFiles(
  directory: string,
  files: Readonly<Record<string, string | SharedFile | null>>,
  shared: SharedFiles,
): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, IN_SANDBOX.spawn, checkName(name));
    if (content === null) {
      rmSync(path, { force: true });
      continue;
    }
    if (name.includes('/')) mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    if (typeof content === 'string') writeWhole(path, content, PRIVATE.has(name) ? 0o600 : MODE);
    else writeShared(path, content, shared);
  }
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
