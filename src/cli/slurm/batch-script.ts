import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { MAX_BLOB_BYTES } from '../../api/limits.ts';
import { notSubmitted, refuseLine } from '../../config/slurm/refusal.ts';
import { checkBatchScript, wrappedScript } from '../../config/slurm/sbatch-script.ts';
import type { World } from '../world.ts';

/** A script as it was at the submit. */
export interface BatchScript {
  readonly bytes: Uint8Array;
  /** What the job is called unless it is named. */
  readonly name: string;
  /** As messages call it. */
  readonly shown: string;
  /** Where it was found; undefined: it was no file. */
  readonly path?: string;
  readonly args: readonly string[];
  /** Made of the command of `--wrap`. */
  readonly isWrapped?: true;
}

const PIECE = 65_536;
const TOO_LONG = 'Pathname of a file, directory or other parameter too long';

/**
 * The script that sbatch is to run: a file, what comes on standard input, or the command of `--wrap`.
 * @throws SpawnError with Slurm's words
 */
export async function readBatchScript(
  [path, ...args]: readonly string[],
  wrap: string | undefined,
  world: Pick<World, 'cwd' | 'env' | 'stdin'>,
): Promise<BatchScript> {
  if (wrap !== undefined) {
    if (path !== undefined) throw refuseLine('Script arguments not permitted with --wrap option', 1);
    const bytes = new TextEncoder().encode(wrappedScript(wrap));
    return { bytes, name: 'wrap', shown: 'wrap', args: [], isWrapped: true };
  }
  const script =
    path === undefined
      ? { bytes: await world.stdin.read(MAX_BLOB_BYTES), name: 'sbatch', shown: 'stdin' }
      : readFile(path, world);
  if (script.bytes === undefined) throw notSubmitted(TOO_LONG);
  checkBatchScript(script.bytes);
  return { ...script, bytes: script.bytes, args };
}

function readFile(path: string, { cwd, env }: Pick<World, 'cwd' | 'env'>) {
  for (const candidate of placesOf(path, cwd, env.PATH)) {
    const bytes = readUpTo(candidate, MAX_BLOB_BYTES);
    if (bytes === 'absent') continue;
    return { bytes, name: basename(candidate), shown: path, path: candidate };
  }
  throw refuseLine(`Unable to open file ${path}`, 1);
}

/** A name without folder is looked for in the working directory first, then in PATH. */
function placesOf(path: string, cwd: string, searched = ''): readonly string[] {
  const here = path === '' || path === '-' ? [] : [resolve(cwd, path)];
  if (path.startsWith('/') || path.startsWith('./') || path.startsWith('../') || here.length === 0) return here;
  const folders = searched.split(':').filter((folder) => folder !== '');
  return [...here, ...folders.map((folder) => join(folder, path))];
}

/** Also of a pipe, as of `<(…)` in a shell. Undefined when there is more; nothing of a directory, as in Slurm. */
function readUpTo(path: string, limit: number): Uint8Array | undefined | 'absent' {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY);
  } catch {
    return 'absent';
  }
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) return new Uint8Array(0);
    if (stat.size > limit) return undefined;
    const pieces: Uint8Array[] = [];
    for (let length = 0; ; ) {
      const piece = new Uint8Array(stat.isFile() ? Math.max(PIECE, stat.size + 1) : PIECE);
      const read = readSync(fd, piece);
      if (read === 0) return Buffer.concat(pieces);
      pieces.push(piece.subarray(0, read));
      length += read;
      if (length > limit) return undefined;
    }
  } finally {
    closeSync(fd);
  }
}
