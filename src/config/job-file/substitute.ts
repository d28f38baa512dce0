import { nearest } from '../../core/nearest.ts';
import { type Faults, type Keys, quote } from './faults.ts';
import { scalarsOf, type Tree } from './tree.ts';

export interface Names {
  /** Of the process that reads the file. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the command line says of parameters, over the file. */
  readonly params: Readonly<Record<string, string>>;
}

/** `$${` stands for `${`; a name with `env:` or `param:` or nothing before it. */
const PLACE = /\$\$\{|\$\{([^{}]*)\}?/g;
const NAME = /^(?:(env|param):)?([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;
const LONGEST_RESULT = 16 * 1024 * 1024;

/** Fields whose text is a program for a shell: there `${…}` is the shell's. */
function isShellText(keys: Keys, tree: Tree): boolean {
  const [last, before] = [keys.at(-1), keys.at(-2)];
  if (before === 'algorithm' && last === 'command') return true;
  if (before === 'algorithm' && last === 'script') return String(tree.value).includes('\n');
  if (before === 'script' && last === 'text') return true;
  return before === 'aggregate' && last === 'command';
}

/**
 * Puts values in place of `${env:X}`, `${env:X:-default}`, `${NAME}` and `${param:NAME}` in every text of the file but keys and shell text. What is put there
 * stays text, whatever it looks like.
 */
export function substitute(root: Tree, names: Names, faults: Faults): void {
  const params = paramsOf(root);
  const stages = root.fields?.get('advanced')?.tree.fields?.get('stages')?.tree.fields;
  for (const { tree, keys } of scalarsOf(root)) {
    if (typeof tree.value !== 'string' || !tree.value.includes('${')) continue;
    const stage = keys[0] === 'advanced' && keys[1] === 'stages' ? stages?.get(String(keys[2]))?.tree : undefined;
    const known = stage === undefined ? params : new Map([...params, ...paramsOf(stage)]);
    replaceIn(tree, keys, { ...names, known }, faults);
  }
}

interface Known extends Names {
  /** Parameters of the file; null: one that differs from task to task. */
  readonly known: ReadonlyMap<string, Tree | null>;
}

function paramsOf(tree: Tree): Map<string, Tree | null> {
  const known = new Map<string, Tree | null>();
  for (const [name, field] of tree.fields?.get('params')?.tree.fields ?? []) known.set(name, field.tree);
  const advanced = tree.fields?.get('advanced')?.tree.fields;
  for (const name of advanced?.get('matrix')?.tree.fields?.keys() ?? []) known.set(name, null);
  for (const row of advanced?.get('sweep')?.tree.items ?? [])
    for (const name of row.fields?.keys() ?? []) known.set(name, null);
  return known;
}

function replaceIn(tree: Tree, keys: Keys, names: Known, faults: Faults): void {
  const text = String(tree.value);
  if (isShellText(keys, tree)) {
    refuseInShell(tree, keys, names, faults);
    return;
  }
  const place = placesOf(tree);
  const isParam = keys.includes('params') || keys.includes('matrix') || keys.includes('sweep');
  let nth = -1;
  let size = 0;
  const made = text.replace(PLACE, (whole, inner: string | undefined) => {
    nth += 1;
    if (inner === undefined) return '${';
    const bad = (expected: string, found: string): string => {
      faults.add(place(nth), keys, expected, found);
      return '';
    };
    if (!whole.endsWith('}')) return bad('"}" after "${" (for "${" itself write "$${")', quote(whole));
    const [, kind, name, fallback] = NAME.exec(inner) ?? [];
    if (name === undefined)
      return bad(
        '${env:NAME}, ${env:NAME:-default} or ${NAME of a parameter} (for "${" itself write "$${")',
        quote(whole),
      );
    const value =
      kind === 'env' ? envValue(name, fallback, names, bad) : paramValue(name, fallback, isParam, names, bad);
    size += value.length;
    return size > LONGEST_RESULT ? bad(`at most ${LONGEST_RESULT} characters in all`, 'more') : value;
  });
  tree.value = made;
  const only = /^\$\{[^{}]*\}$/.test(text);
  if (only) tree.substituted = true;
}

type Bad = (expected: string, found: string) => string;

function envValue(name: string, fallback: string | undefined, { env }: Known, bad: Bad): string {
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  // As in a shell: also where it is empty.
  if (fallback !== undefined && (value === undefined || value === '')) return fallback;
  if (value !== undefined) return value;
  return bad(`a variable that is set, or a default as \${env:${name}:-…}`, `none of the name ${name}`);
}

function paramValue(
  name: string,
  fallback: string | undefined,
  isParam: boolean,
  { known, params }: Known,
  bad: Bad,
): string {
  if (isParam) return bad('no parameter inside of one, only ${env:NAME}', quote(`\${${name}}`));
  if (fallback !== undefined) return bad('a default with ${env:NAME:-default} only', quote(`\${${name}:-…}`));
  const tree = known.get(name);
  if (tree === undefined) {
    const meant = nearest(name, [...known.keys()]);
    const hint = meant === undefined ? ` (for a variable: \${env:${name}})` : `; did you mean ${quote(meant)}?`;
    return bad('the name of a parameter', `${quote(name)}${hint}`);
  }
  if (tree === null) return bad(`{param:${name}}, since it is another one in each task`, quote(`\${${name}}`));
  if (Object.hasOwn(params, name)) return params[name]!;
  if (tree.fields !== undefined || tree.items !== undefined || tree.value === null) {
    return bad(
      `a parameter with one value`,
      `${name}, which is ${tree.fields ? 'a mapping' : tree.items ? 'a list' : 'nothing'}`,
    );
  }
  return tree.style === 'plain' ? tree.source! : String(tree.value);
}

/** `${X}` is left to the shell; what only this file has would quietly be something else there. */
function refuseInShell(tree: Tree, keys: Keys, { known }: Known, faults: Faults): void {
  const place = placesOf(tree);
  let nth = -1;
  for (const [whole, inner] of String(tree.value).matchAll(PLACE)) {
    nth += 1;
    const [, kind, name] = NAME.exec(inner ?? '') ?? [];
    if (name === undefined) continue;
    const at = place(nth);
    if (kind === 'env') faults.add(at, keys, `"$${name}" with ${name} under env (the shell reads it)`, quote(whole));
    else if (kind === 'param' || known.has(name))
      faults.add(at, keys, `"$PARAM_${name}" (the shell reads it)`, quote(whole));
  }
}

/** Tells where the n-th `${` of a scalar stands in the file, also in text of several lines. */
function placesOf({ at, written = '' }: Tree): (nth: number) => number {
  let places: readonly number[] | undefined;
  return (nth) => {
    places ??= [...written.matchAll(PLACE)].map(({ index }) => at + index);
    return places[nth] ?? at;
  };
}
