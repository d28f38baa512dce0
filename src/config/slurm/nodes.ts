import { BAD_OPTION_EXIT, refuseLine } from './refusal.ts';

/** How many nodes there may be, both ends included. */
export interface NodeCount {
  readonly min: number;
  readonly max: number;
}

const MOST_NODES = 1_000_000;
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1_024, m: 1_048_576 };

/**
 * Reads `3`, `2-4` or `1k`.
 * @throws SpawnError with Slurm's words
 */
export function nodesOption(text: string): NodeCount {
  const dash = text.indexOf('-', 1);
  const min = nodeCount(dash < 0 ? text : text.slice(0, dash));
  const max = dash < 0 ? min : nodeCount(text.slice(dash + 1));
  if (max < min) {
    throw refuseLine(`Maximum node count ${max} is less than minimum node count ${min}`, BAD_OPTION_EXIT);
  }
  return { min, max };
}

function nodeCount(text: string): number {
  const [, digits, unit = ''] = /^\s*\+?(\d{1,9})([km]?)$/i.exec(text) ?? [];
  const count = Number(digits) * UNITS[unit.toLowerCase()]!;
  if (!(count <= MOST_NODES)) throw refuseLine(`"${text}" is not a valid node count`, BAD_OPTION_EXIT);
  return count;
}

/** What was asked for of `-N`, `-n`, `-c` and `--ntasks-per-node`; undefined where nothing was. */
export interface Shape {
  readonly nodes?: NodeCount | undefined;
  readonly tasks?: number | undefined;
  readonly cpusPerTask?: number | undefined;
  readonly tasksPerNode?: number | undefined;
}

/** How many tasks of how many CPUs on how many nodes. */
export interface Layout {
  readonly nodes: NodeCount;
  readonly tasks: number;
  readonly cpusPerTask: number;
}

/**
 * What Slurm makes of it: without `-n` one task a node, or as many as `--ntasks-per-node` says; without `-N` as few nodes as hold the tasks.
 */
export function layoutOf({ nodes, tasks, cpusPerTask = 1, tasksPerNode }: Shape): Layout {
  const asked = nodes === undefined || nodes.min === 0 ? undefined : nodes;
  const count = tasks ?? (asked?.min ?? 1) * (tasksPerNode ?? 1);
  const min = tasksPerNode === undefined ? 1 : Math.ceil(count / tasksPerNode);
  const max = tasksPerNode === undefined ? count : min;
  return { nodes: asked ?? { min, max }, tasks: count, cpusPerTask };
}
