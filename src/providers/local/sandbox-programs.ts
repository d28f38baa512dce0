import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SpawnError } from '../../core/errors.ts';
import { BESIDE, IN_SANDBOX } from './sandbox-paths.ts';

/** Where native/build.mjs puts a program of this platform; the package root is three folders up in src and in dist. */
export function nativeProgram(name: 'instance' | 'forker'): string {
  return fileURLToPath(new URL(`../../../native/bin/${name}-${process.platform}-${process.arch}`, import.meta.url));
}

/** The one program, called by the name under which it starts instances. */
export function instanceProgram(programs: string): string {
  return join(programs, 'spored');
}

/**
 * Copies the native programs to where instances see them, once for each version of them, so that what runs does not change when this
 * package does. Copies that no instance uses are removed.
 *
 * @returns the directory with `spored` and `ssh`
 * @throws SpawnError INTERNAL where they were not built
 */
export function installPrograms(
  instances: string,
  sources = { instance: nativeProgram('instance'), forker: nativeProgram('forker') },
): string {
  for (const path of [sources.instance, sources.forker]) {
    if (!existsSync(path))
      throw new SpawnError('INTERNAL', { why: `${path} is missing: expected it to be built by native/build.mjs` });
  }
  const all = join(instances, BESIDE.programs);
  const hash = createHash('sha256').update(readFileSync(sources.instance)).update(readFileSync(sources.forker));
  const programs = join(all, hash.digest('hex').slice(0, 16));
  mkdirSync(all, { recursive: true, mode: 0o755 });
  if (!existsSync(programs)) {
    const draft = mkdtempSync(join(all, '.new-'));
    chmodSync(draft, 0o755);
    copyProgram(sources.instance, join(draft, 'spored'));
    copyProgram(sources.forker, join(draft, '.forker'));
    for (const name of ['ssh', 'scp', 'sftp']) symlinkSync('spored', join(draft, name));
    try {
      renameSync(draft, programs);
    } catch (error) {
      rmSync(draft, { recursive: true, force: true });
      if (!existsSync(programs)) throw error;
    }
  }
  removeUnused(instances, all, programs);
  return programs;
}

/** @throws Error where no program may be run: the file system is mounted noexec */
export function requireRunnable(programs: string): void {
  try {
    accessSync(instanceProgram(programs), constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'EACCES' ? 'its file system lets no program run (noexec): set SPAWN_DATA_DIR to another disk' : code;
    throw new Error(`${programs}: ${why}`, { cause: error });
  }
}

function copyProgram(from: string, to: string): void {
  copyFileSync(from, to);
  chmodSync(to, 0o755);
}

function removeUnused(instances: string, all: string, current: string): void {
  const copies = readdirSync(all)
    .map((name) => join(all, name))
    .filter((path) => path !== current && !path.includes('/.new-'));
  if (copies.length === 0) return;
  const used = readdirSync(instances).flatMap((name) => {
    const text = name.startsWith('.') ? undefined : readIfThere(join(instances, name, IN_SANDBOX.config));
    return text === undefined ? [] : (/^bin (.*)$/m.exec(text)?.[1] ?? []);
  });
  for (const path of copies) if (!used.includes(path)) rmSync(path, { recursive: true, force: true });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
