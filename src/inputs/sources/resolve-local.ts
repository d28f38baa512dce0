import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { SpawnError } from '../../core/errors.ts';
import type { Source } from '../source.ts';
import { expandBraces } from './braces.ts';
import { isGlob } from './glob.ts';
import type { LeftOut } from './left-out-paths.ts';
import { type Counts, findFiles, kindOf, look } from './local-files.ts';
import { nearPath } from './near-miss.ts';
import { parsePath } from './path-pattern.ts';
import type { Seen } from './seen.ts';

export interface LocalWorld {
  /** What relative paths begin with. */
  readonly cwd: string;
  readonly leftOut: LeftOut;
  /** What earlier places gave. */
  readonly seen: Seen;
}

/** Names of an absolute path. */
export function namesOf(cwd: string, path: string): string[] {
  return resolve(cwd, path).split('/').filter(Boolean);
}

/**
 * Files at a path or glob. What is there by the very name is that, whatever characters it has.
 *
 * @throws SpawnError INPUT_NOT_FOUND, INPUT_UNREADABLE, BAD_REQUEST
 */
export function* resolveLocal(text: string, where: string, world: LocalWorld): Generator<Source, void, undefined> {
  const isThere = look(resolve(world.cwd, text), statSync) !== undefined;
  for (const one of isThere ? [text] : expandBraces(text, where)) yield* resolveOne(one, where, world);
}

function* resolveOne(text: string, where: string, world: LocalWorld): Generator<Source, void, undefined> {
  const { cwd, leftOut, seen } = world;
  const path = resolve(cwd, text);
  const names = namesOf(cwd, text);
  const found = look(path, statSync);
  if (found === undefined && !isGlob(text)) throw notFound(text, names, 'no such file or directory');
  if (found !== undefined && !found.isDirectory() && !found.isFile()) {
    throw new SpawnError('INPUT_UNREADABLE', { uri: path, why: `expected a file, found ${kindOf(found)}` });
  }
  // Only what is not there by its very name is a pattern.
  const fixed = names.map((name) => (found === undefined ? name : name.replace(/[*?[\\]/g, '\\$&')));
  const isTree = found === undefined ? text.endsWith('/') : found.isDirectory();
  const pattern = parsePath(isTree ? [...fixed, '**'] : fixed, false, where);
  const counts: Counts = { found: 0, leftOut: 0 };
  for (const source of findFiles(pattern, leftOut, counts)) {
    if (!seen.has(source.uri.slice(1).split('/'))) yield source;
  }
  if (counts.found === 0) {
    if (counts.leftOut > 0) throw notFound(text, [], `all that it finds is left out by exclude (${counts.leftOut})`);
    throw notFound(text, found === undefined ? names : [], isTree ? 'no file in it' : 'no file fits it');
  }
  seen.add(pattern);
}

function notFound(uri: string, names: readonly string[], why: string): SpawnError {
  const path = `/${names.join('/')}`;
  const meant = uri.startsWith('~') ? homedir() + uri.slice(1) : names.length === 0 ? undefined : nearPath(names);
  const hint = meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`;
  const place = names.length === 0 || uri === path ? '' : ` (${path})`;
  return new SpawnError('INPUT_NOT_FOUND', { uri, why: `${why}${place}${hint}` });
}
