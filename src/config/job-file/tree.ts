import type { Keys } from './faults.ts';

/** A value of the file, with the place where it was written. */
export interface Tree {
  /** In characters from the start. */
  readonly at: number;
  /** A scalar: what it stands for now. Substitution and the wish of a field for text may change it. */
  value?: string | number | boolean | null;
  /** A scalar: the text as written, without quotes. */
  readonly source?: string;
  /** A scalar: how it was written. */
  readonly style?: 'plain' | 'quoted' | 'block';
  /** A plain scalar that looks like a number, whose digits would be lost. */
  readonly lossy?: boolean;
  /** A scalar: as it stands in the file, quotes and line breaks included. */
  readonly written?: string;
  /** It is all of one `${…}`: its text may stand for a number or true and false. */
  substituted?: boolean;
  /** A mapping, in its order. */
  readonly fields?: Map<string, Field>;
  /** A list. */
  readonly items?: Tree[];
}

export interface Field {
  /** Of the key. */
  readonly at: number;
  readonly tree: Tree;
}

/** Plain values, as a schema reads them. */
export function plainOf(tree: Tree): unknown {
  if (tree.items !== undefined) return tree.items.map(plainOf);
  if (tree.fields === undefined) return tree.value;
  const value: Record<string, unknown> = {};
  for (const [key, field] of tree.fields) {
    // As a definition: no key changes what the object is.
    Object.defineProperty(value, key, {
      value: plainOf(field.tree),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return value;
}

/** What stands at a path; undefined when nothing does. */
export function treeAt(tree: Tree, keys: Keys): Tree | undefined {
  let now: Tree | undefined = tree;
  for (const key of keys) {
    now = typeof key === 'number' ? now?.items?.[key] : now?.fields?.get(String(key))?.tree;
    if (now === undefined) return undefined;
  }
  return now;
}

/** Where the value at a path begins; of what is not there, that of the nearest value around it. @param ofKey where its key begins */
export function placeAt(tree: Tree, keys: Keys, ofKey = false): number {
  let now = tree;
  let at = tree.at;
  for (const [depth, key] of keys.entries()) {
    const field: Field | undefined = now.fields?.get(String(key));
    const next = typeof key === 'number' ? now.items?.[key] : field?.tree;
    if (next === undefined) return at;
    at = ofKey && depth === keys.length - 1 && field !== undefined ? field.at : next.at;
    now = next;
  }
  return at;
}

/** Every scalar with its path. */
export function* scalarsOf(tree: Tree, keys: Keys = []): Generator<{ readonly tree: Tree; readonly keys: Keys }> {
  if (tree.fields !== undefined) {
    for (const [key, field] of tree.fields) yield* scalarsOf(field.tree, [...keys, key]);
  } else if (tree.items !== undefined) {
    for (const [at, item] of tree.items.entries()) yield* scalarsOf(item, [...keys, at]);
  } else yield { tree, keys };
}
