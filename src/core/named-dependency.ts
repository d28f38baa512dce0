import { parseDependency } from './dependency.ts';
import { isSpawnError } from './errors.ts';
import { isJobName } from './ids.ts';

/** A job that stands in a dependency by its name, array id or key. */
export interface NamedJob {
  readonly at: number;
  /** The word before it: `afterok`. */
  readonly type: string;
  readonly name: string;
}

/** What is between the ids of a dependency, and the delay of `after:12+5`. */
const BETWEEN = /[,?:+]/;

/** Names come after a type and a colon: alone they would be read as a type. */
export function namesIn(text: string): readonly NamedJob[] {
  const names: NamedJob[] = [];
  let at = 0;
  for (const term of text.split(/(?<=[,?])/)) {
    const [type = '', ...pieces] = term.split(/(?<=:)/);
    at += type.length;
    for (const piece of pieces) {
      const name = piece.split(BETWEEN, 1)[0]!;
      if (isJobName(name)) names.push({ at, type: type.slice(0, -1).toLowerCase(), name });
      at += piece.length;
    }
  }
  return names;
}

/** The text with something else in place of each name. */
export function replaceNames(text: string, names: readonly NamedJob[], other: (name: string) => string): string {
  return names
    .toReversed()
    .reduce((now, { at, name }) => now.slice(0, at) + other(name) + now.slice(at + name.length), text);
}

/**
 * Checks a dependency in which names stand for jobs; which jobs they mean is for others to know.
 * @throws BAD_DEPENDENCY with the column
 */
export function checkNamedDependency(text: string): void {
  try {
    // A number that is as long: so every place stays.
    parseDependency(replaceNames(text, namesIn(text), (name) => '1'.padStart(name.length, '0')));
  } catch (error) {
    throw isSpawnError(error) ? error.with({ text }) : error;
  }
}
