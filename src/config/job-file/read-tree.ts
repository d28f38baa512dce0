import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, Scalar, type YAMLError } from 'yaml';
import { type Faults, type Keys, quote } from './faults.ts';
import { plainScalar } from './scalars.ts';
import type { Field, Tree } from './tree.ts';

/** Characters of a job file. */
const MAX_FILE_CHARACTERS = 4 * 1024 * 1024;
/** Values of a job file, with those that aliases stand for. */
const MAX_VALUES = 200_000;
/** Mappings and lists inside each other. */
const MAX_DEPTH = 64;
// biome-ignore lint/suspicious/noControlCharactersInRegex: those that YAML does not allow.
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;
const LONGEST_KEY = 4_096;

export interface TextPlaces {
  /** Of a place in the text, both from 1. */
  lineColumn(at: number): { readonly line: number; readonly column: number };
}

/**
 * Reads YAML 1.2 (and JSON, which is a part of it) into values that know where they were written. What is wrong goes to `faults`; undefined when nothing
 * can be made of the text.
 */
export function readTree(
  text: string,
  faults: Faults,
): { readonly tree: Tree | undefined; readonly places: TextPlaces } {
  const lines = new LineCounter();
  const places: TextPlaces = {
    lineColumn: (at) => {
      const { line, col } = lines.linePos(at);
      return { line: Math.max(line, 1), column: Math.max(col, 1) };
    },
  };
  if (text.length > MAX_FILE_CHARACTERS) {
    faults.add(0, [], `at most ${MAX_FILE_CHARACTERS} characters`, String(text.length));
    return { tree: undefined, places };
  }
  const control = text.search(FORBIDDEN);
  if (control >= 0) {
    addLines(text, control, lines);
    const code = text.charCodeAt(control).toString(16).toUpperCase().padStart(4, '0');
    faults.add(control, [], 'text without control characters', `U+${code}`);
    return { tree: undefined, places };
  }
  const deep = tooDeepAt(text);
  if (deep !== undefined) {
    addLines(text, deep, lines);
    faults.add(deep, [], `mappings and lists at most ${MAX_DEPTH} deep`, 'more');
    return { tree: undefined, places };
  }
  // With this schema every scalar is text; what a plain one stands for is read here. Keys are compared here too: the library's way is slow.
  const options = {
    schema: 'failsafe',
    lineCounter: lines,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
  } as const;
  const document = parseDocument(text, options);
  for (const error of firstOfEachLine(document.errors, places)) addSyntaxFault(error, text, faults);
  if (!faults.isEmpty) return { tree: undefined, places };
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.source === '')) {
    faults.add(0, [], 'a mapping with what the job is', 'nothing');
    return { tree: undefined, places };
  }
  const tree = new Builder(text, faults).build(contents as Node, [], 0);
  return { tree, places };
}

/** Tells the counter of all lines up to a place, where the library does not read the text. */
function addLines(text: string, until: number, lines: LineCounter): void {
  lines.addNewLine(0);
  for (let at = text.indexOf('\n'); at >= 0 && at < until; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1);
}

/** Where brackets, or dashes on one line, open more levels than a file may have: the library reads them by calling itself. */
function tooDeepAt(text: string): number | undefined {
  let depth = 0;
  for (const match of text.matchAll(/[[{\]}]|(?:^|\n)[ ]*(?:[-?] +){65}/g)) {
    const [found] = match;
    if (found.length > 1) return match.index;
    depth = found === '[' || found === '{' ? depth + 1 : Math.max(0, depth - 1);
    // In text they mean nothing and need not be in pairs; nobody has so many open.
    if (depth > 1_000) return match.index;
  }
  return undefined;
}

const SAYS: Readonly<Record<string, readonly [expected: string, found: string]>> = {
  TAB_AS_INDENT: ['spaces before a key', 'a tab'],
  MULTIPLE_DOCS: ['one document', 'a second one'],
  BAD_INDENT: ['the same indentation as its neighbours', 'another one'],
  MISSING_CHAR: ['a closing quote, bracket or comma', 'none'],
  BLOCK_AS_IMPLICIT_KEY: ['one value on a line', 'a second ":"'],
  MULTILINE_IMPLICIT_KEY: ['":" on the line of its key', 'none'],
  BLOCK_IN_FLOW: ['no block inside brackets', 'one'],
  KEY_OVER_1024_CHARS: ['a key of at most 1024 characters', 'a longer one'],
  BAD_DQ_ESCAPE: ['an escape that YAML knows in double quotes', 'another one'],
};

function addSyntaxFault(error: YAMLError, text: string, faults: Faults): void {
  const at = Math.min(error.pos[0], text.length);
  const isFirst = /^[ \t]*$/.test(text.slice(text.lastIndexOf('\n', at - 1) + 1, at));
  if (text[at] === '\t' && (isFirst || error.code === 'TAB_AS_INDENT')) {
    faults.add(at, [], 'spaces before a key', 'a tab');
    return;
  }
  if ((error.code === 'MISSING_CHAR' || error.code === 'BAD_INDENT') && at >= text.trimEnd().length) {
    faults.add(at, [], 'what closes a quote, "[" or "{"', 'the end');
    return;
  }
  const line = text.slice(text.lastIndexOf('\n', at - 1) + 1, at + 2);
  if (/[[{,].*\$\{/.test(line) && text.includes('${')) {
    faults.add(at, [], 'quotes around a value with "${" inside brackets', 'none');
    return;
  }
  const [expected, found] = SAYS[error.code] ?? ['YAML', `a fault: ${error.message.split(/ at line \d+|; |\n/, 1)[0]}`];
  faults.add(at, [], expected, found);
}

/** The first of each line: what comes after it there follows from it. */
function firstOfEachLine(errors: readonly YAMLError[], places: TextPlaces): readonly YAMLError[] {
  const lines = new Set<number>();
  return errors.filter(({ pos }) => {
    const { line } = places.lineColumn(pos[0]);
    return !lines.has(line) && lines.add(line) !== undefined;
  });
}

class Builder {
  private readonly text: string;
  private readonly faults: Faults;
  private readonly anchors = new Map<string, Node>();
  /** Anchors that are being read: one inside itself has no end. */
  private readonly open = new Set<Node>();
  private values = 0;

  constructor(text: string, faults: Faults) {
    this.text = text;
    this.faults = faults;
  }

  build(node: Node, keys: Keys, depth: number): Tree | undefined {
    const at = node.range?.[0] ?? 0;
    this.values += 1;
    if (this.values > MAX_VALUES) {
      if (this.values === MAX_VALUES + 1)
        this.faults.add(at, keys, `at most ${MAX_VALUES} values, with those of aliases`, 'more');
      return undefined;
    }
    if (depth > MAX_DEPTH) {
      this.faults.add(at, keys, `mappings and lists at most ${MAX_DEPTH} deep`, 'more');
      return undefined;
    }
    if (isAlias(node)) return this.aliased(node.source, at, keys, depth);
    if (node.tag !== undefined) this.faults.add(at, keys, 'no tag', quote(shortTag(node.tag)));
    if ('anchor' in node && node.anchor !== undefined) this.anchors.set(node.anchor, node);
    if (isMap(node)) return this.inside(node, () => this.mapping(node.items as Pairs, at, keys, depth));
    if (isSeq(node)) {
      return this.inside(node, () => {
        const items: Tree[] = [];
        for (const [index, item] of (node.items as Node[]).entries()) {
          const tree = this.build(item, [...keys, index], depth + 1);
          if (tree === undefined) return undefined;
          items.push(tree);
        }
        return { at, items };
      });
    }
    return scalarTree(node as Scalar, at, this.text);
  }

  private inside<T>(node: Node, read: () => T): T {
    this.open.add(node);
    try {
      return read();
    } finally {
      this.open.delete(node);
    }
  }

  /** A value that was written before; it counts again each time, so that aliases of aliases cannot grow without end. */
  private aliased(name: string, at: number, keys: Keys, depth: number): Tree | undefined {
    const target = this.anchors.get(name);
    if (target === undefined || this.open.has(target)) {
      this.faults.add(
        at,
        keys,
        'an anchor that stands before it',
        target === undefined ? quote(`*${name}`) : `${quote(`*${name}`)} inside itself`,
      );
      return undefined;
    }
    return this.build(target, keys, depth);
  }

  private mapping(pairs: Pairs, at: number, keys: Keys, depth: number): Tree | undefined {
    const fields = new Map<string, Field>();
    const merged: Map<string, Field>[] = [];
    let complete = true;
    for (const { key, value } of pairs) {
      const name = this.keyOf(key, at, keys);
      if (name === undefined) continue;
      const place = key?.range?.[0] ?? at;
      if (name === '<<' && isScalar(key) && key.type === Scalar.PLAIN) {
        merged.push(...this.merged(value, place, keys, depth));
        continue;
      }
      const here = [...keys, name];
      if (fields.has(name)) {
        this.faults.add(place, here, 'each key once', 'it twice');
        continue;
      }
      const tree =
        value === null ? { at: place + name.length, value: null, source: '' } : this.build(value, here, depth + 1);
      if (tree === undefined) complete = false;
      else fields.set(name, { at: place, tree });
    }
    // What is written here goes before what is merged, and of that the first.
    for (const source of merged) for (const [name, field] of source) if (!fields.has(name)) fields.set(name, field);
    return complete ? { at, fields } : undefined;
  }

  private keyOf(key: Node | null, at: number, keys: Keys): string | undefined {
    const place = key?.range?.[0] ?? at;
    if (key === null || !isScalar(key) || typeof key.value !== 'string') {
      this.faults.add(
        place,
        keys,
        'a key that is text',
        isAlias(key) ? 'an alias' : isScalar(key) || key === null ? 'none' : 'a mapping or list',
      );
      return undefined;
    }
    if (key.tag !== undefined) this.faults.add(place, keys, 'no tag', quote(shortTag(key.tag)));
    const isEmpty = key.value === '' && key.type === Scalar.PLAIN;
    if (isEmpty || key.value === '__proto__' || key.value.length > LONGEST_KEY) {
      const expected = key.value.length > LONGEST_KEY ? `a key of at most ${LONGEST_KEY} characters` : 'another key';
      this.faults.add(place, keys, expected, quote(key.value));
      return undefined;
    }
    return key.value;
  }

  private merged(value: Node | null, at: number, keys: Keys, depth: number): Map<string, Field>[] {
    const tree = value === null ? undefined : this.build(value, keys, depth);
    if (tree === undefined && value !== null) return [];
    const parts = tree?.items ?? (tree === undefined ? [] : [tree]);
    const bad = parts.length === 0 || parts.some(({ fields }) => fields === undefined);
    if (bad) this.faults.add(at, [...keys, '<<'], 'a mapping or a list of mappings, as *defaults', 'something else');
    return bad ? [] : parts.map(({ fields }) => fields!);
  }
}

function shortTag(tag: string): string {
  return tag.replace(/^tag:yaml\.org,2002:/, '!!');
}

type Pairs = readonly { readonly key: Node | null; readonly value: Node | null }[];

function scalarTree(node: Scalar, at: number, text: string): Tree {
  const source = typeof node.value === 'string' ? node.value : String(node.source ?? '');
  const written = text.slice(at, node.range?.[1] ?? at);
  if (node.type !== Scalar.PLAIN) {
    const style = node.type === Scalar.QUOTE_DOUBLE || node.type === Scalar.QUOTE_SINGLE ? 'quoted' : 'block';
    return { at, written, value: source, source, style };
  }
  const { value, lossy = false } = plainScalar(source);
  return { at, written, value, source, style: 'plain', lossy };
}
