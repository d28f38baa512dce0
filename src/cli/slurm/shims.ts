import {
  accessSync,
  chmodSync,
  constants,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { SpawnError } from '../../core/errors.ts';

/** What stands in for Slurm's commands. */
export interface ShimPlan {
  /** Absolute. */
  readonly directory: string;
  readonly names: readonly string[];
  /** Absolute paths of Node.js and of this program. */
  readonly node: string;
  readonly program: string;
}

/** More than any of them has. */
const MOST_BYTES = 16_384;
/** A file like this was made here: of another release, with another Node.js or for another directory, it may be replaced. */
const OWN = /^#!\/bin\/sh\nSPAWN_SHIMS='[^\n]*' exec '[^\n]*' ([a-z]+) "\$@"\n$/;

/**
 * One command: two lines of sh. It tells where it is, so that tasks with an environment of their own find the others.
 * The text is that of OWN.
 */
function shimText(name: string, { directory, node, program }: ShimPlan): string {
  const [place, ...words] = [directory, node, program].map(quoted);
  return `#!/bin/sh\nSPAWN_SHIMS=${place} exec ${words.join(' ')} ${name} "$@"\n`;
}

/** For sh. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Makes the directory and the commands in it, all of them or none. Commands that were made before are replaced.
 * @throws SpawnError USAGE where another file has such a name, or the directory cannot be written to
 */
export function writeShims(plan: ShimPlan): void {
  const { directory, names } = plan;
  const taken = names.map((name) => join(directory, name)).filter(isForeign);
  if (taken.length > 0) {
    const rest = taken.length === 1 ? '' : ` and ${taken.length - 1} more`;
    bad(`expected a directory without other files of Slurm's names, found ${taken[0]}${rest}; nothing was changed`);
  }
  const parts = names.map((name) => [join(directory, `.${name}.${process.pid}.new`), join(directory, name)] as const);
  const made: string[] = [];
  try {
    mkdirSync(directory, { recursive: true });
    for (const [at, [part]] of parts.entries()) {
      made.push(part);
      writeFileSync(part, shimText(names[at]!, plan), { flag: 'wx', mode: 0o755 });
      chmodSync(part, 0o755);
    }
    for (const [part, path] of parts) renameSync(part, path);
  } catch (error) {
    for (const part of made) rmSync(part, { force: true });
    bad(`expected a directory that can be written to, found ${directory}: ${(error as Error).message}`);
  }
}

function bad(message: string): never {
  throw new SpawnError('USAGE', { message: `slurm shims: ${message}` });
}

/** Whether something that is none of these commands has this name. */
function isForeign(path: string): boolean {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return false;
    return !stat.isFile() || stat.size > MOST_BYTES || !OWN.test(readFileSync(path, 'utf8'));
  } catch (error) {
    // Below a file there is nothing.
    return (error as NodeJS.ErrnoException).code !== 'ENOTDIR';
  }
}

/** What is found of these names. */
export interface OnPath {
  /** Whether the directory comes before any other that has one of the names. */
  readonly isFirst: boolean;
  /** Files of these names that were not made here, in the order in which a shell looks. */
  readonly others: readonly string[];
}

/** What a shell with this PATH finds. */
export function lookOnPath({ directory, names }: Pick<ShimPlan, 'directory' | 'names'>, path: string): OnPath {
  const folders = path.split(':').filter((folder) => folder.startsWith('/'));
  const found = folders.flatMap((folder) => names.map((name) => join(folder, name)).filter(isProgram));
  const first = found[0];
  const isFirst = first?.startsWith(join(directory, '/')) ?? false;
  return { isFirst, others: found.filter(isForeign) };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return !lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}
