import { parseDuration } from '../../core/duration.ts';
import { isSpawnError } from '../../core/errors.ts';
import { parseTime, type TimeText } from '../../core/time-text.ts';
import type { Faults, Keys } from './faults.ts';
import { placeAt, type Tree, treeAt } from './tree.ts';

/** What stages take from beside them. */
const SHARED = ['compute', 'env', 'secrets', 'params', 'advanced'];
const NOT_SHARED = ['stages', 'matrix', 'sweep'];

/** One job of a file, as it is written: the whole file, or a stage with what it takes from beside it. */
export class JobPart {
  private readonly root: Tree;
  private readonly tree: Tree;
  private readonly keys: Keys;
  private readonly faults: Faults;

  constructor(root: Tree, tree: Tree, keys: Keys, faults: Faults) {
    this.root = root;
    this.tree = tree;
    this.keys = keys;
    this.faults = faults;
  }

  at(...keys: readonly string[]): Tree | undefined {
    const own = treeAt(this.tree, keys);
    if (own !== undefined || this.keys.length === 0) return own;
    const shared = SHARED.includes(keys[0]!) && !(keys[0] === 'advanced' && NOT_SHARED.includes(keys[1] ?? ''));
    return shared && keys.length > 1 ? treeAt(this.root, keys) : undefined;
  }

  has(...keys: readonly string[]): boolean {
    return this.at(...keys) !== undefined;
  }

  /** Whether a section stands in the job itself, or it is the whole file. */
  own(key: string): boolean {
    return this.keys.length === 0 || this.tree.fields?.has(key) === true;
  }

  /** The text of a scalar. */
  word(...keys: readonly string[]): string | undefined {
    const value = this.at(...keys)?.value;
    return value === undefined || value === null ? undefined : String(value);
  }

  /** The texts of one scalar or a list of them. */
  words(...keys: readonly string[]): readonly string[] {
    const tree = this.at(...keys);
    return (tree?.items ?? (tree === undefined ? [] : [tree])).map(({ value }) => String(value));
  }

  number(...keys: readonly string[]): number | undefined {
    const value = this.at(...keys)?.value;
    return typeof value === 'number' ? value : undefined;
  }

  duration(...keys: readonly string[]): number | undefined {
    return quietly(() => parseDuration(this.word(...keys) ?? '?'));
  }

  /** Compared with others of the same file only, so that any zone will do. */
  moment(...keys: readonly string[]): TimeText | undefined {
    return quietly(() => parseTime(this.word(...keys) ?? '?', () => 0));
  }

  /** @param ofKey points at the key */
  refuse(keys: readonly PropertyKey[], expected: string, found: string, ofKey = false): void {
    const own = treeAt(this.tree, keys) !== undefined || this.keys.length === 0;
    const full = own ? [...this.keys, ...keys] : treeAt(this.root, keys) === undefined ? [...this.keys, ...keys] : keys;
    this.faults.add(placeAt(this.root, full, ofKey), full, expected, found);
  }
}

function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isSpawnError(error)) return undefined;
    throw error;
  }
}
