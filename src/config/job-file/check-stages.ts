import { findCycle } from '../../core/find-cycle.ts';
import { namesIn } from '../../core/named-dependency.ts';
import { nearest } from '../../core/nearest.ts';
import { type Faults, type Keys, quote } from './faults.ts';
import { type Field, placeAt, type Tree, treeAt } from './tree.ts';

/** Names that are compared with all others. */
const MOST_HINTS = 20;
const TYPES = ['after', 'afterany', 'afterok', 'afternotok', 'aftercorr'];

/** A stage that another one waits for, and where that is written. */
interface Edge {
  readonly name: string;
  readonly keys: Keys;
}

/** Tells of stages that wait for what is none, or for themselves in the end. */
export function checkStages(root: Tree, stages: ReadonlyMap<string, Field>, faults: Faults): void {
  const names = [...stages.keys()];
  let unknown = 0;
  const edges = new Map<string, Edge[]>();
  for (const [stage, { tree }] of stages) {
    const found = edgesOf(tree).map(({ name, keys }) => ({ name, keys: ['advanced', 'stages', stage, ...keys] }));
    edges.set(stage, found);
    for (const { name, keys } of found) {
      if (stages.has(name)) continue;
      unknown += 1;
      // To compare each with each would take long, and of so many nobody reads the last.
      const meant = unknown > MOST_HINTS ? undefined : nearest(name, names);
      const hint = meant === undefined ? '' : `; did you mean ${quote(meant)}?`;
      faults.add(
        placeAt(root, keys),
        keys,
        `one of the stages ${names.slice(0, 20).join(', ')}`,
        `${quote(name)}${hint}`,
      );
    }
  }
  const cycle = findCycle(new Map([...edges].map(([stage, all]) => [stage, all.map(({ name }) => name)])));
  if (cycle === undefined) return;
  const [first, second] = cycle;
  const { keys } = edges.get(first!)!.find(({ name }) => name === second)!;
  faults.add(placeAt(root, keys), keys, 'stages that do not wait for each other in a circle', cycle.join(' -> '));
}

/** The stages that a stage names. */
function edgesOf(stage: Tree): Edge[] {
  const edges: Edge[] = [];
  const after = stage.fields?.get('after')?.tree;
  const text = (tree: Tree | undefined, keys: Keys) => {
    if (typeof tree?.value !== 'string') return;
    for (const { name } of namesIn(tree.value)) edges.push({ name, keys });
  };
  text(after, ['after']);
  for (const [at, item] of after?.items?.entries() ?? []) text(item, ['after', at]);
  for (const type of TYPES) {
    const jobs = after?.fields?.get(type)?.tree;
    const list = jobs?.items ?? (jobs === undefined ? [] : [jobs]);
    for (const [at, { value }] of list.entries()) {
      const keys = jobs?.items === undefined ? ['after', type] : ['after', type, at];
      // A number is a job that was submitted before; its tasks are named behind it.
      const name = /^\d/.test(String(value)) ? undefined : String(value).split('_[')[0];
      if (name !== undefined && typeof value === 'string') edges.push({ name, keys });
    }
  }
  const input = stage.fields?.get('input')?.tree;
  const from = input?.fields?.get('from')?.tree ?? input;
  const type = treeAt(stage, ['input', 'type'])?.value;
  const [, name] = /^([A-Za-z_][\w-]*)\.(?:output|results)$/.exec(String(from?.value)) ?? [];
  if (name !== undefined && (type === undefined || type === 'stage')) {
    edges.push({ name, keys: from === input ? ['input'] : ['input', 'from'] });
  }
  return edges;
}
