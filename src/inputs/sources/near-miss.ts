import { readdirSync } from 'node:fs';
import { extname } from 'node:path';
import { nearest } from '../../core/nearest.ts';
import { isGlob } from './glob.ts';

/** Names of a directory that are compared; near misses in larger ones are not worth the time. */
const MOST_NAMES = 10_000;

/**
 * What was probably meant by a path or pattern that finds nothing, from the first name on that nothing fits.
 *
 * @param names of the absolute path
 */
export function nearPath(names: readonly string[]): string | undefined {
  let directory = '';
  for (const [at, name] of names.entries()) {
    const present = namesIn(directory === '' ? '/' : directory);
    if (!isGlob(name) && present.includes(name)) {
      directory += `/${name}`;
      continue;
    }
    const meant = nearName(name, present);
    return meant === undefined ? undefined : [directory, meant, ...names.slice(at + 1)].join('/');
  }
  return undefined;
}

/** The nearest name; of a pattern such as `*.cvs`, the one with the nearest ending that is there. */
export function nearName(name: string, present: readonly string[]): string | undefined {
  if (!isGlob(name)) return nearest(name, present);
  const ending = extname(name);
  if (ending === '' || isGlob(ending)) return undefined;
  const endings = [...new Set(present.map((one) => extname(one)))].filter((one) => one !== '' && one !== ending);
  const meant = nearest(ending, endings);
  return meant === undefined ? undefined : name.slice(0, -ending.length) + meant;
}

function namesIn(directory: string): readonly string[] {
  try {
    const names = readdirSync(directory);
    return names.length > MOST_NAMES ? [] : names;
  } catch {
    return [];
  }
}
