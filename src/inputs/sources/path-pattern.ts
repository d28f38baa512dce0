import { fitsName, parseName, type Segment } from './glob.ts';

/**
 * A pattern of whole paths, name by name, and how far a path has come in it: the numbers of the segments that may come next.
 * All that it can mean is followed at once, so each directory is looked at once.
 */
export interface PathPattern {
  readonly segments: readonly Segment[];
  /** Whether patterns also stand for names that begin with a dot. */
  readonly hidden: boolean;
}

export type Places = readonly number[];

/** @param names of a path without braces: `**` alone stands for any number of directories, at the end for all files below */
export function parsePath(names: readonly string[], hidden: boolean, where: string): PathPattern {
  const segments: Segment[] = [];
  for (const name of names) {
    if (name !== '**') segments.push(parseName(name, where));
    else if (segments.at(-1) !== 'deep') segments.push('deep');
  }
  if (segments.at(-1) === 'deep') segments.push(parseName('*', where));
  return { segments, hidden };
}

export function begin(pattern: PathPattern): Places {
  return reach(pattern, [0]);
}

/** No names are needed where `deep` is. */
function reach({ segments }: PathPattern, places: readonly number[]): Places {
  const all = new Set(places);
  for (const place of all) if (segments[place] === 'deep') all.add(place + 1);
  return [...all];
}

/**
 * One name further.
 * @param passes whether `**` goes through it: not through links to directories, which can lead in circles
 */
export function advance(pattern: PathPattern, places: Places, name: string, passes: () => boolean): Places {
  const next: number[] = [];
  for (const place of places) {
    const segment = pattern.segments[place];
    if (segment === undefined) continue;
    if (segment === 'deep') {
      if ((pattern.hidden || !name.startsWith('.')) && passes()) next.push(place);
    } else if (fitsName(segment, name, pattern.hidden)) next.push(place + 1);
  }
  return next.length === 0 ? next : reach(pattern, next);
}

/** Whether a path that has come here is one that the pattern means. */
export function isEnd(pattern: PathPattern, places: Places): boolean {
  return places.includes(pattern.segments.length);
}

/** Whether names may follow. */
export function goesOn(pattern: PathPattern, places: Places): boolean {
  return places.some((place) => place < pattern.segments.length);
}

/** @param passes whether `**` goes through the directory that the first so many names are */
export function fitsPath(pattern: PathPattern, names: readonly string[], passes: (depth: number) => boolean): boolean {
  let places = begin(pattern);
  for (let at = 0; at < names.length && places.length > 0; at++) {
    // What comes last is no directory, so nothing goes through it.
    places = advance(pattern, places, names[at]!, () => at < names.length - 1 && passes(at + 1));
  }
  return isEnd(pattern, places);
}
