import { QueueFile } from '../api/queue-file.ts';
import { isSpawnError } from '../core/errors.ts';
import { findCycle } from '../core/find-cycle.ts';
import { checkName } from '../core/ids.ts';
import { nearest } from '../core/nearest.ts';
import { Faults, type Keys, quote } from './job-file/faults.ts';
import { meetWishes, refusal } from './job-file/read-job-file.ts';
import { readTree } from './job-file/read-tree.ts';
import { addSchemaFaults, type Issue } from './job-file/schema-faults.ts';
import { placeAt, plainOf, type Tree } from './job-file/tree.ts';

/**
 * Reads a queue file of YAML or JSON.
 * @param path as errors call it
 * @param refusedVariable what is wrong with the name of a variable
 * @throws SpawnError BAD_JOB_FILE with everything that is wrong, a line for each, with its place
 */
export function readQueueFile(
  path: string,
  text: string,
  refusedVariable: (name: string) => string | undefined = () => undefined,
): QueueFile {
  const faults = new Faults();
  const { tree, places } = readTree(text.replace(/^\uFEFF/, ''), faults);
  const file = tree === undefined ? undefined : readFields(tree, refusedVariable, faults);
  if (file === undefined || !faults.isEmpty) throw refusal(path, faults.sorted(), places);
  return file;
}

/** Whether a text is a queue file and no job file: those have no `jobs`. */
export function looksLikeQueue(text: string): boolean {
  const { tree } = readTree(text.replace(/^\uFEFF/, ''), new Faults());
  return tree?.fields?.has('jobs') ?? false;
}

function readFields(
  root: Tree,
  refusedVariable: (name: string) => string | undefined,
  faults: Faults,
): QueueFile | undefined {
  if (root.fields === undefined) {
    faults.add(root.at, [], 'a mapping with the jobs of the queue', root.items === undefined ? 'one value' : 'a list');
    return undefined;
  }
  checkTogether(root, refusedVariable, faults);
  // Each round changes scalars that were not changed before, so there are few.
  for (;;) {
    const result = QueueFile.safeParse(plainOf(root));
    if (result.success) return result.data;
    const issues = result.error.issues as readonly Issue[];
    if (meetWishes(issues, [], root)) continue;
    addSchemaFaults(issues, root, faults);
    return undefined;
  }
}

/** What follows from several fields, also when others of the file are wrong. */
function checkTogether(root: Tree, refusedVariable: (name: string) => string | undefined, faults: Faults): void {
  const fault = (keys: Keys, expected: string, found: string) => faults.add(placeAt(root, keys), keys, expected, found);
  const name = scalarOf(root, 'name');
  if (name !== undefined) {
    try {
      checkName(name);
    } catch (error) {
      if (!isSpawnError(error)) throw error;
      fault(['name'], String(error.details.expected), quote(name));
    }
  }
  const variables = (tree: Tree | undefined, keys: Keys) => {
    for (const variable of tree?.fields?.get('env')?.tree.fields?.keys() ?? []) {
      const expected = refusedVariable(variable);
      if (expected !== undefined) fault([...keys, 'env', variable], expected, quote(variable));
    }
  };
  variables(root, []);
  const jobs = root.fields?.get('jobs')?.tree.items ?? [];
  const ids = new Map<string, number>();
  for (const [at, job] of jobs.entries()) {
    variables(job, ['jobs', at]);
    const id = scalarOf(job, 'id');
    if (id === undefined) continue;
    if (ids.has(id)) fault(['jobs', at, 'id'], 'an id that no other job has', quote(id));
    else ids.set(id, at);
  }
  const edges = new Map<string, { readonly id: string; readonly keys: Keys }[]>();
  for (const [at, job] of jobs.entries()) {
    const id = scalarOf(job, 'id') ?? '';
    const needs = job.fields?.get('depends_on')?.tree.items ?? [];
    const all = needs.flatMap((need, n) =>
      typeof need.value === 'string' || typeof need.value === 'number'
        ? [{ id: need.source ?? String(need.value), keys: ['jobs', at, 'depends_on', n] }]
        : [],
    );
    if (ids.get(id) === at) edges.set(id, all);
    for (const { id: need, keys } of all) {
      if (ids.has(need)) continue;
      // One letter is near to every other one.
      const meant = need.length < 3 ? undefined : nearest(need, [...ids.keys()]);
      const known = [...ids.keys()].slice(0, 20).join(', ');
      fault(
        keys,
        `one of the jobs ${known}`,
        `${quote(need)}${meant === undefined ? '' : `; did you mean ${quote(meant)}?`}`,
      );
    }
  }
  const cycle = findCycle(new Map([...edges].map(([id, needs]) => [id, needs.map((need) => need.id)])));
  if (cycle === undefined) return;
  const { keys } = edges.get(cycle[0]!)!.find(({ id }) => id === cycle[1])!;
  fault(keys, 'jobs that do not wait for each other in a circle', cycle.join(' -> '));
}

function scalarOf(tree: Tree, key: string): string | undefined {
  const field = tree.fields?.get(key)?.tree;
  if (field?.value === undefined || field.value === null || typeof field.value === 'boolean') return undefined;
  return field.source ?? String(field.value);
}
