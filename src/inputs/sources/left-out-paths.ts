import { expandBraces } from './braces.ts';
import { fitsPath, type PathPattern, parsePath } from './path-pattern.ts';

/** What `exclude` leaves out. */
export interface LeftOut {
  /** Whether there is nothing to ask for. */
  readonly isEmpty: boolean;
  /** Whether a pattern without a slash fits the name of a file or directory. */
  hasName(name: string): boolean;
  /** Whether a pattern with a slash fits a path. */
  hasPath(names: readonly string[]): boolean;
  /** Whether nothing below a directory can be wanted. */
  hasTree(names: readonly string[]): boolean;
}

const anyway = () => true;

/**
 * @param patterns one without a slash means files and directories of that name anywhere, one with a slash whole paths
 * @param split the names of a pattern with a slash, from the root of what is looked at; undefined: it is about something else
 */
export function leaveOut(
  patterns: readonly string[],
  split: (pattern: string) => readonly string[] | undefined,
  where: string,
): LeftOut {
  const names: PathPattern[] = [];
  const paths: PathPattern[] = [];
  const trees: PathPattern[] = [];
  for (const [at, pattern] of patterns.entries()) {
    const place = `${where}[${at}]`;
    for (const text of expandBraces(pattern, place)) {
      if (!text.includes('/')) {
        names.push(parsePath([text === '**' ? '*' : text], true, place));
        continue;
      }
      const parts = split(text);
      if (parts === undefined) continue;
      paths.push(parsePath(parts, true, place));
      trees.push(parsePath(parts.at(-1) === '**' ? parts.slice(0, -1) : parts, true, place));
    }
  }
  const fits = (all: readonly PathPattern[], path: readonly string[]) =>
    all.some((pattern) => fitsPath(pattern, path, anyway));
  return {
    isEmpty: names.length === 0 && paths.length === 0,
    hasName: (name) => fits(names, [name]),
    hasPath: (path) => fits(paths, path),
    hasTree: (path) => fits(trees, path),
  };
}
