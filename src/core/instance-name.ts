import { checkDnsLabel } from './dns-label.ts';
import { SpawnError } from './errors.ts';
import { checkName } from './ids.ts';
import type { IndexSet } from './index-set.ts';

/** A piece of a template: text as it is, or a place where a value goes. */
type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'index'; readonly width: number }
  | { readonly kind: 'array-name' }
  | { readonly kind: 'name' };

export type NameTemplate = readonly Piece[];

export interface NameValues {
  readonly index: number;
  readonly arrayName: string;
  /** Default: `arrayName`. */
  readonly name?: string;
}

const PLACES = '{index}, {index:03}, {job-array-name} or {name}';
const MAX_WIDTH = 20;

/**
 * Reads `worker-{index:03}`.
 *
 * @throws BAD_REQUEST at `where`, with the column
 */
export function parseNameTemplate(text: string, where = 'instance names'): NameTemplate {
  const pieces: Piece[] = [];
  let at = 0;
  while (at < text.length) {
    const place = text.slice(at).search(/[{}]/);
    const plain = place < 0 ? text.slice(at) : text.slice(at, at + place);
    if (plain !== '') pieces.push({ kind: 'text', text: plain });
    at += plain.length;
    if (place < 0) break;
    const end = text.indexOf('}', at);
    const word = text.slice(at, end < 0 ? undefined : end + 1);
    pieces.push(pieceOf(word) ?? bad(where, at, word));
    at += word.length;
  }
  return pieces;
}

function bad(where: string, at: number, found: string): never {
  throw new SpawnError('BAD_REQUEST', { where: `${where}, column ${at + 1}`, expected: PLACES, found });
}

function pieceOf(word: string): Piece | undefined {
  if (word === '{job-array-name}') return { kind: 'array-name' };
  if (word === '{name}') return { kind: 'name' };
  const width = /^\{index(?::0?(\d{1,2}))?\}$/.exec(word);
  if (width === null) return undefined;
  const digits = Number(width[1] ?? 0);
  return digits > MAX_WIDTH ? undefined : { kind: 'index', width: digits };
}

/** The template with `{name}` filled in: for a launch whose array has another name than its instances. */
export function bindName(text: string, name: string): string {
  return text.replaceAll('{name}', () => name);
}

export function expandName(template: NameTemplate, values: NameValues): string {
  let text = '';
  for (const piece of template) {
    if (piece.kind === 'text') text += piece.text;
    else if (piece.kind === 'index') text += String(values.index).padStart(piece.width, '0');
    else if (piece.kind === 'array-name') text += values.arrayName;
    else text += values.name ?? values.arrayName;
  }
  return text;
}

/** Whether each index gives another name. A template with `{index}` always does: the length of the name tells that of the index. */
export function namesEach(template: NameTemplate): boolean {
  return template.some((piece) => piece.kind === 'index');
}

/**
 * Refuses a template that does not give every index of the set a name of its own that is a DNS label. Looks at two names only, however
 * many there are: the longest index gives the longest name, and all have the same letters at their ends.
 *
 * @throws BAD_REQUEST with the first two members that would share a name; BAD_NAME
 */
export function checkNames(
  template: NameTemplate,
  indices: IndexSet,
  values: Omit<NameValues, 'index'>,
  where = 'instance names',
): void {
  const first = expandName(template, { ...values, index: indices.min });
  if (indices.size > 1 && !namesEach(template)) {
    throw new SpawnError('BAD_REQUEST', {
      where,
      expected: `{index} in the names of ${indices.size} members, because each needs its own`,
      found: `${first} for index ${indices.at(0)} and index ${indices.at(1)}`,
    });
  }
  for (const name of [first, expandName(template, { ...values, index: indices.max })]) {
    checkDnsLabel(name, where);
    checkNoId(name, where);
  }
}

/** A name that could be read as a job's number, or as a range, would lead commands astray. */
function checkNoId(name: string, where: string): void {
  try {
    checkName(name);
  } catch (error) {
    throw (error as SpawnError).with({ where });
  }
}
