import { SpawnError } from '../../core/errors.ts';

/** One character of a name, or a set of them, or any number of any. */
type Token = string | 'any' | 'many' | CharSet;

interface CharSet {
  readonly not: boolean;
  readonly ranges: readonly (readonly [first: string, last: string])[];
}

/** What one name of a path must be: `deep` is any number of names. */
export type Segment = 'deep' | Name;

/** A name as it is written, or a pattern of names. */
export interface Name {
  /** Set when only this very name fits. */
  readonly literal?: string;
  readonly tokens: readonly Token[];
}

const SPECIAL = /[*?[\\]/;

/** Whether a text means something else than itself. */
export function isGlob(text: string): boolean {
  return /[*?[{\\]/.test(text);
}

/**
 * A pattern of names without braces: `*` any characters, `?` one, `[a-z]` and `[!a-z]` one of a set, a backslash takes the
 * meaning of the next away.
 *
 * @throws SpawnError BAD_REQUEST for a set that does not end
 */
export function parseName(text: string, where: string): Name {
  if (!SPECIAL.test(text)) return { literal: text, tokens: [] };
  const letters = [...text];
  const tokens: Token[] = [];
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at]!;
    if (letter === '\\' && at + 1 < letters.length) tokens.push(letters[++at]!);
    else if (letter === '*') {
      if (tokens.at(-1) !== 'many') tokens.push('many');
    } else if (letter === '?') tokens.push('any');
    else if (letter === '[') {
      const { set, end } = parseSet(letters, at, where);
      tokens.push(set);
      at = end;
    } else tokens.push(letter);
  }
  // Of one character each; the words for patterns are longer.
  const isLiteral = tokens.every((token) => typeof token === 'string' && token !== 'any' && token !== 'many');
  return isLiteral ? { literal: tokens.join(''), tokens: [] } : { tokens };
}

function parseSet(letters: readonly string[], from: number, where: string): { set: CharSet; end: number } {
  let at = from + 1;
  const not = letters[at] === '!' || letters[at] === '^';
  if (not) at++;
  const ranges: [string, string][] = [];
  const first = at;
  for (; at < letters.length; at++) {
    // A bracket that comes first is one of the set.
    if (letters[at] === ']' && at > first) return { set: { not, ranges }, end: at };
    if (letters[at] === '\\') at++;
    const low = letters[at];
    if (low === undefined) break;
    const isRange = letters[at + 1] === '-' && letters[at + 2] !== undefined && letters[at + 2] !== ']';
    ranges.push([low, isRange ? letters[at + 2]! : low]);
    if (isRange) at += 2;
  }
  throw new SpawnError('BAD_REQUEST', {
    where,
    expected: '"]" at the end of a set of characters',
    found: letters.join(''),
  });
}

/**
 * Whether a name fits. In time of its length times the pattern's, whatever both are.
 * @param hidden whether patterns also stand for a dot at the beginning
 */
export function fitsName({ literal, tokens }: Name, name: string, hidden: boolean): boolean {
  if (literal !== undefined) return name === literal;
  if (!hidden && name.startsWith('.') && tokens[0] !== '.') return false;
  const letters = [...name];
  let at = 0;
  let token = 0;
  /** Where to go on when the last `many` takes one more. */
  let again: { at: number; token: number } | undefined;
  while (at < letters.length) {
    const wanted = tokens[token];
    if (wanted === 'many') {
      again = { at, token: token + 1 };
      token++;
    } else if (wanted !== undefined && fitsLetter(wanted, letters[at]!)) {
      at++;
      token++;
    } else if (again === undefined) return false;
    else {
      again = { at: again.at + 1, token: again.token };
      ({ at, token } = again);
    }
  }
  while (tokens[token] === 'many') token++;
  return token === tokens.length;
}

function fitsLetter(token: Token, letter: string): boolean {
  if (token === 'any') return true;
  if (typeof token === 'string') return token === letter;
  return token.ranges.some(([first, last]) => first <= letter && letter <= last) !== token.not;
}
