import { SpawnError } from '../../core/errors.ts';

/** Texts that one pattern may stand for. */
const MOST = 10_000;

/**
 * What a pattern with braces stands for, in order: `{a,b}` and `{01..10}`, also inside each other. A backslash before a brace
 * takes its meaning away; braces without a comma or range inside stand for themselves, as in a shell.
 *
 * @throws SpawnError BAD_REQUEST for more than 10,000
 */
export function expandBraces(pattern: string, where: string): string[] {
  const open = firstGroup(pattern);
  if (open === undefined) return [pattern];
  const { from, to, choices } = open;
  const rest = expandBraces(pattern.slice(to), where);
  const found: string[] = [];
  for (const choice of choices) {
    for (const middle of expandBraces(choice, where)) {
      if (found.length + rest.length > MOST) {
        const expected = `a pattern that stands for at most ${MOST} texts`;
        throw new SpawnError('BAD_REQUEST', { where, expected, found: pattern });
      }
      for (const end of rest) found.push(pattern.slice(0, from) + middle + end);
    }
  }
  return found;
}

interface Group {
  readonly from: number;
  readonly to: number;
  readonly choices: Iterable<string>;
}

function firstGroup(pattern: string): Group | undefined {
  for (let from = 0; from < pattern.length; from++) {
    if (pattern[from] === '\\') from++;
    else if (pattern[from] === '{') {
      const group = groupAt(pattern, from);
      if (group !== undefined) return group;
    }
  }
  return undefined;
}

function groupAt(pattern: string, from: number): Group | undefined {
  const commas: number[] = [];
  let depth = 0;
  for (let at = from; at < pattern.length; at++) {
    const letter = pattern[at];
    if (letter === '\\') at++;
    else if (letter === '{') depth++;
    else if (letter === ',' && depth === 1) commas.push(at);
    else if (letter === '}' && --depth === 0) {
      const to = at + 1;
      if (commas.length === 0) {
        const choices = range(pattern.slice(from + 1, at));
        return choices === undefined ? undefined : { from, to, choices };
      }
      const borders = [from, ...commas, at];
      return { from, to, choices: commas.concat(at).map((end, i) => pattern.slice(borders[i]! + 1, end)) };
    }
  }
  return undefined;
}

/** `1..10`, `001..100`, `10..1`: as wide as the wider end when one begins with 0. */
function range(text: string): Iterable<string> | undefined {
  const match = /^(-?\d{1,15})\.\.(-?\d{1,15})$/.exec(text);
  if (match === null) return undefined;
  const [, first, last] = match as unknown as [string, string, string];
  const width = /^-?0\d/.test(first) || /^-?0\d/.test(last) ? Math.max(first.length, last.length) : 0;
  return count(Number(first), Number(last), width);
}

function* count(first: number, last: number, width: number): Generator<string, void, undefined> {
  const step = first <= last ? 1 : -1;
  for (let n = first; step > 0 ? n <= last : n >= last; n += step) {
    const digits = String(Math.abs(n)).padStart(n < 0 ? width - 1 : width, '0');
    yield n < 0 ? `-${digits}` : digits;
  }
}
