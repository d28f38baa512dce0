import { JobFile } from '../../api/job-file.ts';
import { SpawnError } from '../../core/errors.ts';
import { nearest } from '../../core/nearest.ts';
import { jsonFault } from '../json-file.ts';
import { checkTogether, type RefusedVariable } from './checks.ts';
import { type Fault, Faults, type Keys, quote } from './faults.ts';
import { readTree, type TextPlaces } from './read-tree.ts';
import { plainScalar } from './scalars.ts';
import { addSchemaFaults, type Issue } from './schema-faults.ts';
import { substitute } from './substitute.ts';
import { plainOf, scalarsOf, type Tree, treeAt } from './tree.ts';

export interface ReadOptions {
  /** For `${env:NAME}`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Values of parameters, over those of the file. */
  readonly params?: Readonly<Record<string, string>>;
  /** What is wrong with the name of a variable; default nothing. */
  readonly refusedVariable?: RefusedVariable;
}

/** Faults that a message shows. */
const MOST_SHOWN = 100;

/**
 * Reads a job file of YAML or JSON.
 * @param path as errors call it
 * @throws SpawnError BAD_JOB_FILE with everything that is wrong, a line for each: `job.yaml:3:11: compute.memory: expected …, found …`
 */
export function readJobFile(path: string, text: string, options: ReadOptions = {}): JobFile {
  if (path.endsWith('.json')) checkJson(path, text);
  const faults = new Faults();
  const { tree, places } = readTree(text.replace(/^\uFEFF/, ''), faults);
  const file = tree === undefined ? undefined : readFields(tree, options, faults);
  if (file === undefined || !faults.isEmpty) throw refusal(path, faults.sorted(), places);
  return file;
}

/** YAML takes more than JSON: a comma at the end, a comment. */
function checkJson(path: string, text: string): void {
  try {
    JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    // One that nests too deep is refused with its place later.
    if (!(cause instanceof RangeError)) throw jsonFault(path, text, cause);
  }
}

function readFields(root: Tree, options: ReadOptions, faults: Faults): JobFile | undefined {
  if (root.fields === undefined) {
    faults.add(root.at, [], 'a mapping with what the job is', root.items === undefined ? 'one value' : 'a list');
    return undefined;
  }
  const names = { env: options.env ?? {}, params: options.params ?? {} };
  setParams(root, names.params, faults);
  substitute(root, names, faults);
  refuseLostDigits(root, faults);
  checkTogether(root, options.refusedVariable ?? (() => undefined), faults);
  // Each round changes scalars that were not changed before, so there are few.
  for (;;) {
    const result = JobFile.safeParse(plainOf(root));
    if (result.success) return result.data;
    const issues = result.error.issues as readonly Issue[];
    if (meetWishes(issues, [], root)) continue;
    addSchemaFaults(issues, root, faults);
    return undefined;
  }
}

/** Gives fields that want text the text of a number as it was written, and those that want a number that of a `${…}` that is one. */
export function meetWishes(issues: readonly Issue[], before: Keys, root: Tree): boolean {
  let changed = false;
  for (const issue of issues) {
    const keys = [...before, ...issue.path];
    for (const form of issue.errors ?? []) if (meetWishes(form, keys, root)) changed = true;
    const tree = treeAt(root, keys);
    if (tree === undefined || tree.fields !== undefined || tree.items !== undefined) continue;
    const { value, source } = tree;
    const isText = issue.code === 'invalid_type' && issue.expected === 'string';
    if (isText && value !== null && typeof value !== 'string' && source !== undefined && !tree.substituted) {
      tree.value = source;
      changed = true;
    } else if (!isText && tree.substituted && typeof value === 'string') {
      const read = plainScalar(value);
      tree.substituted = false;
      if (read.lossy || typeof read.value === 'string' || read.value === null) continue;
      tree.value = read.value;
      changed = true;
    }
  }
  return changed;
}

/** Where any value may stand, a number is one: it must not become another, nor quietly text. */
function refuseLostDigits(root: Tree, faults: Faults): void {
  for (const { tree, keys } of scalarsOf(root)) {
    if (!tree.lossy) continue;
    const free = keys.findIndex((key) => ['params', 'matrix', 'sweep', 'items', 'options'].includes(String(key)));
    if (free < 0 || free === keys.length - 1) continue;
    faults.add(tree.at, keys, 'a number that is the same when it is read, or text in quotes', tree.source!);
  }
}

function setParams(root: Tree, params: Readonly<Record<string, string>>, faults: Faults): void {
  const fields = root.fields!.get('params')?.tree.fields;
  const known = [...(fields?.keys() ?? [])];
  for (const [name, text] of Object.entries(params)) {
    const field = fields?.get(name);
    if (field === undefined) {
      const meant = nearest(name, known);
      const hint = meant === undefined ? '' : `; did you mean ${quote(meant)}?`;
      const list = known.length === 0 ? 'a file with params' : `one of the params ${known.slice(0, 20).join(', ')}`;
      faults.add(root.fields!.get('params')?.at ?? 0, ['--param'], list, `${quote(name)}${hint}`);
      continue;
    }
    const { tree } = field;
    const read = plainScalar(text);
    const keepsType = typeof read.value === typeof tree.value && !read.lossy;
    const changed: Tree = { at: tree.at, value: keepsType ? read.value : text, source: text, style: 'quoted' };
    fields!.set(name, { at: field.at, tree: changed });
  }
}

/** All that is wrong with a file, in the order of its lines. */
export function refusal(path: string, faults: readonly Fault[], places: TextPlaces): SpawnError {
  const issues = faults.map(({ at, where, says }) => ({ ...places.lineColumn(at), where, says }));
  const lines = issues
    .slice(0, MOST_SHOWN)
    .map(({ line, column, where, says }) => `${path}:${line}:${column}: ${where === '' ? '' : `${where}: `}${says}`);
  const more = issues.length - lines.length;
  if (more > 0) lines.push(`${path}: and ${more} more`);
  return new SpawnError('BAD_JOB_FILE', { path, lines, issues: issues.slice(0, MOST_SHOWN) });
}
