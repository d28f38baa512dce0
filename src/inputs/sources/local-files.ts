import { accessSync, constants, lstatSync, type Stats, statSync } from 'node:fs';
import { SpawnError } from '../../core/errors.ts';
import type { Source } from '../source.ts';
import type { LeftOut } from './left-out-paths.ts';
import { type Entry, listDirectory } from './name-table.ts';
import { advance, begin, goesOn, isEnd, type PathPattern, type Places } from './path-pattern.ts';

/** How many were found and left out, for what is said when nothing remains. */
export interface Counts {
  found: number;
  leftOut: number;
}

/**
 * Files that a pattern of absolute paths means, in the order of their paths. Directories are not found, but what is in them
 * when the pattern goes on there; `**` does not go through links.
 *
 * @throws SpawnError INPUT_UNREADABLE for what is no file, or may not be read
 */
export function* findFiles(pattern: PathPattern, leftOut: LeftOut, counts: Counts): Generator<Source, void, undefined> {
  for (const path of walk({ pattern, leftOut, counts }, '', begin(pattern))) {
    const source = sourceAt(path);
    if (source === undefined) continue;
    counts.found++;
    yield source;
  }
}

interface Walk {
  readonly pattern: PathPattern;
  readonly leftOut: LeftOut;
  readonly counts: Counts;
}

/** @param directory `` for the root */
function* walk(world: Walk, directory: string, places: Places): Generator<string, void, undefined> {
  const { pattern, leftOut, counts } = world;
  const known = knownNames(pattern, places);
  const entries =
    known === undefined
      ? listReadable(directory === '' ? '/' : directory)
      : known.flatMap((name) => entryAt(directory, name));
  for (const { name, kind } of entries) {
    const next = advance(pattern, places, name, () => kind === 'directory');
    if (next.length === 0) continue;
    const path = `${directory}/${name}`;
    const names = leftOut.isEmpty ? [] : path.slice(1).split('/');
    if (isEnd(pattern, next) && kind !== 'directory') {
      if (leftOut.hasName(name) || leftOut.hasPath(names)) counts.leftOut++;
      else yield path;
    }
    if (!goesOn(pattern, next) || (kind !== 'directory' && kind !== 'link')) continue;
    // Directories that lead to where the pattern begins are asked for by name, whatever they are called.
    if ((known === undefined && leftOut.hasName(name)) || leftOut.hasTree(names)) counts.leftOut++;
    else yield* walk(world, path, next);
  }
}

/** Where only known names can follow: the directory need not be listed, and need not allow it. */
function knownNames(pattern: PathPattern, places: Places): readonly string[] | undefined {
  const names = new Set<string>();
  for (const place of places) {
    const segment = pattern.segments[place];
    if (segment === undefined || segment === 'deep' || segment.literal === undefined) return undefined;
    names.add(segment.literal);
  }
  return [...names];
}

function entryAt(directory: string, name: string): readonly Entry[] {
  const found = look(`${directory}/${name}`, lstatSync);
  if (found === undefined) return [];
  if (found.isSymbolicLink()) return [{ name, kind: 'link' }];
  return [{ name, kind: found.isDirectory() ? 'directory' : 'file' }];
}

function* listReadable(path: string): Generator<Entry, void, undefined> {
  try {
    yield* listDirectory(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A link to a file, and what was removed just now.
    if (code === 'ENOTDIR' || code === 'ENOENT') return;
    throw unreadable(path, error);
  }
}

/** Undefined when nothing is there. */
export function look(path: string, by: (path: string) => Stats): Stats | undefined {
  try {
    return by(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unreadable(path, error);
  }
}

/** Undefined for a directory. Errors: INPUT_UNREADABLE. */
function sourceAt(path: string): Source | undefined {
  const refuse = (why: string) => new SpawnError('INPUT_UNREADABLE', { uri: path, why });
  const stats = look(path, statSync);
  if (stats === undefined) {
    if (path.includes('\uFFFD')) throw refuse('its name is not UTF-8');
    throw refuse(look(path, lstatSync) === undefined ? 'it was removed just now' : 'it is a link to nothing');
  }
  if (stats.isDirectory()) return undefined;
  if (!stats.isFile()) throw refuse(`expected a file, found ${kindOf(stats)}`);
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw unreadable(path, error);
  }
  return { uri: path, size: stats.size, mtimeMs: stats.mtimeMs };
}

export function kindOf(stats: Stats): string {
  if (stats.isFIFO()) return 'a fifo';
  if (stats.isSocket()) return 'a socket';
  return stats.isDirectory() ? 'a directory' : 'a device';
}

export function unreadable(path: string, error: unknown): unknown {
  if (error instanceof SpawnError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  const words: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    ELOOP: 'links that lead in a circle',
    ENAMETOOLONG: 'its name is too long',
  };
  return new SpawnError('INPUT_UNREADABLE', { uri: path, why: words[code] ?? message }, { cause: error });
}
