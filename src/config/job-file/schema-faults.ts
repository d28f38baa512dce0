import { nearest } from '../../core/nearest.ts';
import { type Faults, type Keys, quote } from './faults.ts';
import { oldBoolean } from './scalars.ts';
import { placeAt, type Tree, treeAt } from './tree.ts';

/** What a zod schema says of one fault; the parts that are used here. */
export interface Issue {
  readonly code?: string | undefined;
  readonly path: Keys;
  readonly message: string;
  readonly expected?: unknown;
  readonly keys?: readonly string[];
  readonly values?: readonly unknown[];
  readonly options?: readonly unknown[];
  readonly origin?: unknown;
  readonly minimum?: unknown;
  readonly maximum?: unknown;
  readonly inclusive?: boolean | undefined;
  readonly issues?: readonly Issue[];
  readonly errors?: readonly (readonly Issue[])[];
  readonly params?: { readonly leaf?: boolean; readonly whole?: boolean };
}

/** Names that people write for a key of ours. */
const MEANT: Readonly<Record<string, string>> = {
  workers: 'concurrency',
  parallelism: 'concurrency',
  max_concurrent: 'concurrency',
  throttle: 'concurrency',
  timeout: 'time_limit',
  walltime: 'time_limit',
  mem: 'memory',
  cpu: 'cpus',
  gpu: 'gpus',
  retry: 'retries',
  attempts: 'retries',
  environment: 'env',
  variables: 'env',
  parameters: 'params',
  inputs: 'input',
  outputs: 'output',
  notifications: 'notification',
  notify: 'notification',
  depends_on: 'after',
  needs: 'after',
  dependencies: 'after',
  run: 'algorithm',
  path: 'from',
  paths: 'from',
  files: 'from',
  directory: 'to',
  chunk_size: 'cut',
  workdir: 'cwd',
  working_directory: 'cwd',
  max: 'max_failures',
  count: 'max',
};

/** Keys that stand one level deeper than where people write them first. */
const INSIDE: Readonly<Record<string, string>> = {
  command: 'algorithm.command',
  script: 'algorithm.script',
  handler: 'algorithm.handler',
  cpus: 'compute.cpus',
  memory: 'compute.memory',
  gpus: 'compute.gpus',
  retries: 'compute.retries',
  time_limit: 'compute.time_limit',
  concurrency: 'compute.concurrency',
  stages: 'advanced.stages',
  matrix: 'advanced.matrix',
  sweep: 'advanced.sweep',
  hold: 'advanced.hold',
  begin: 'advanced.begin',
  deadline: 'advanced.deadline',
};

/** Tells of everything that a schema found wrong with a file. */
export function addSchemaFaults(issues: readonly Issue[], root: Tree, faults: Faults): void {
  for (const issue of issues) addIssue(issue, [], root, faults);
}

function addIssue(issue: Issue, before: Keys, root: Tree, faults: Faults): void {
  const keys = [...before, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys ?? []) addUnknownKey(key, keys, issue.message, root, faults);
    return;
  }
  if (issue.code === 'invalid_union' && issue.errors !== undefined && issue.errors.length > 0) {
    addUnion(issue.errors, keys, root, faults);
    return;
  }
  if (issue.code === 'invalid_key') {
    const [inner] = issue.issues ?? [];
    const expected = inner === undefined ? 'another name' : expectation(inner, undefined);
    faults.add(placeAt(root, keys, true), keys, expected, quote(String(keys.at(-1))));
    return;
  }
  const tree = treeAt(root, keys);
  const at = placeAt(root, keys);
  if (issue.params?.whole) faults.say(at, keys, `expected ${issue.message}`);
  else faults.add(at, keys, expectation(issue, tree), foundAt(tree, keys, issue));
}

function addUnknownKey(key: string, keys: Keys, expected: string, root: Tree, faults: Faults): void {
  const known = expected.replace(/^one of /, '').split(', ');
  const meant = Object.hasOwn(MEANT, key) && known.includes(MEANT[key]!) ? MEANT[key] : nearest(key, known);
  const inside = keys.length === 0 && Object.hasOwn(INSIDE, key) ? INSIDE[key] : undefined;
  const hint = inside ?? meant;
  const here = [...keys, key];
  const end = hint === undefined ? '' : `; did you mean ${quote(hint)}?`;
  faults.say(placeAt(root, here, true), here, `expected ${expected}, found ${quote(key)}${end}`);
}

/** Says what is wrong with the form that was meant: the one that is of the kind (text, list, mapping) that was found. */
function addUnion(forms: readonly (readonly Issue[])[], keys: Keys, root: Tree, faults: Faults): void {
  const tree = treeAt(root, keys);
  const fitting = forms.filter((issues) => !issues.some((issue) => isOtherKind(issue, tree)));
  if (fitting.length === 1) {
    for (const issue of fitting[0]!) addIssue(issue, keys, root, faults);
    return;
  }
  const wanted = new Set(
    (fitting.length === 0 ? forms : fitting).flatMap((issues) =>
      issues.filter(({ path }) => path.length === 0).map((issue) => expectation(issue, tree)),
    ),
  );
  faults.add(placeAt(root, keys), keys, [...wanted].join(', or ') || 'another form', foundAt(tree, keys));
}

/** Whether a form was not meant at all. */
function isOtherKind(issue: Issue, tree: Tree | undefined): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_type') return true;
  const isScalar = tree?.fields === undefined && tree?.items === undefined;
  return !isScalar && (issue.code === 'invalid_value' || issue.params?.leaf === true);
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

function expectation(issue: Issue, tree: Tree | undefined): string {
  switch (issue.code) {
    case 'invalid_type':
      if (!issue.message.startsWith('Invalid input')) return issue.message;
      return TYPE_NAMES[String(issue.expected)] ?? String(issue.expected);
    case 'invalid_value':
      return choice(issue.values ?? []);
    case 'invalid_union':
      return choice(issue.options ?? []);
    case 'too_small':
      return bound(issue, issue.inclusive === false ? 'more than' : 'at least', issue.minimum, tree);
    case 'too_big':
      return bound(issue, issue.inclusive === false ? 'less than' : 'at most', issue.maximum, tree);
    default:
      return issue.message;
  }
}

function bound(issue: Issue, words: string, limit: unknown, tree: Tree | undefined): string {
  if (issue.origin === 'string') {
    return tree?.value === '' ? 'text that is not empty' : `${words} ${limit} characters`;
  }
  return `${words} ${limit}${issue.origin === 'array' ? (limit === 1 ? ' item' : ' items') : ''}`;
}

function choice(values: readonly unknown[]): string {
  const all = values.map((value) => String(value));
  const last = all.pop() ?? 'nothing';
  return all.length === 0 ? last : `${all.join(', ')} or ${last}`;
}

/** Fields in which people write secrets, though they should not. */
const SECRET = new Set(['secrets', 'secret', 'slack', 'webhook', 'access_key_id', 'secret_access_key']);

/** What stands there, with what was probably meant. */
function foundAt(tree: Tree | undefined, keys: Keys, issue?: Issue): string {
  if (tree === undefined) return 'nothing';
  if (tree.fields !== undefined) return 'a mapping';
  if (tree.items !== undefined)
    return tree.items.length === 0 ? 'an empty list' : issue?.code === 'too_big' ? `${tree.items.length}` : 'a list';
  const { value, source = '' } = tree;
  if (value === null) return 'nothing';
  if (keys.some((key) => SECRET.has(String(key)))) return 'text that is not shown, since it may be a secret';
  // What a variable holds may be a secret that went to the wrong place.
  if (typeof value === 'string' && value !== source) return `${quote(source)}, whose value is not shown`;
  if (tree.lossy) return `${source} (as a number it would not be what is written; put it in quotes to keep it as text)`;
  if (typeof value === 'string') return `${quote(value)}${meantBy(value, issue)}`;
  return source === '' ? String(value) : source;
}

function meantBy(text: string, issue: Issue | undefined): string {
  const words = issue?.values ?? issue?.options;
  if (words !== undefined) {
    const meant = nearest(text, words.map(String));
    return meant === undefined ? '' : `; did you mean ${quote(meant)}?`;
  }
  if (issue?.code === 'invalid_type' && issue.expected === 'boolean') {
    const old = oldBoolean(text);
    return old === undefined ? '' : `; write ${old}`;
  }
  return '';
}
