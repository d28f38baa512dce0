import { type Amounts, type Needs, needsOf } from './resources.ts';

/** How many sessions, both ends included. */
export interface NodeRange {
  readonly min: number;
  readonly max: number;
}

/** What a job asks for whose tasks have several ranks; see GangSpec. */
export interface Gang {
  readonly nodes?: NodeRange | undefined;
  readonly tasks?: number | undefined;
  readonly tasksPerNode?: number | undefined;
  readonly cpusPerTask: number;
  readonly memoryBytesPerTask: number;
  readonly gpusPerTask: number;
}

type Ranks = Pick<Gang, 'nodes' | 'tasks' | 'tasksPerNode' | 'cpusPerTask'>;

/** What tasks need that are placed as a whole: on sessions that are chosen together, with shares that differ from one to the next. */
export interface Shape {
  readonly nodes: NodeRange;
  /** It gets as few sessions as hold its ranks; else as many as there are, up to the most. */
  readonly fewest: boolean;
  /** Ranks over all; undefined: as many on each as `perNode` says. */
  readonly tasks: number | undefined;
  /** Ranks on each session; undefined: as many as fit, where `tasks` says how many are needed, else one. */
  readonly perNode: number | undefined;
  /** Only idle sessions, and all of each. */
  readonly exclusive: boolean;
  /** What each session must have besides what its ranks need; no CPUs. */
  readonly node: Needs;
  readonly rank: Needs;
}

/** Undefined for tasks that take a share of one session like any other. */
export function shapeOf(terms: Amounts, exclusive: boolean, gang: Gang | undefined): Shape | undefined {
  const node = needsOf({ ...terms, cpus: 0 });
  if (gang !== undefined) {
    const { tasks, tasksPerNode, cpusPerTask, memoryBytesPerTask, gpusPerTask } = gang;
    const rank = needsOf({
      cpus: cpusPerTask,
      memoryBytes: memoryBytesPerTask,
      gpus: gpusPerTask,
      resources: {},
    });
    // Every session has as many ranks then, however few of them there are to be.
    const counted = tasksPerNode === undefined ? tasks : undefined;
    return { ...rangeOf(gang), tasks: counted, perNode: tasksPerNode, exclusive, node, rank };
  }
  if (!exclusive) return undefined;
  const rank = needsOf({ cpus: terms.cpus, memoryBytes: 0, gpus: 0, resources: {} });
  return { nodes: { min: 1, max: 1 }, fewest: false, tasks: undefined, perNode: undefined, exclusive, node, rank };
}

function rangeOf({ nodes, tasks, tasksPerNode }: Ranks): Pick<Shape, 'nodes' | 'fewest'> {
  if (tasksPerNode !== undefined) {
    const least = Math.ceil((tasks ?? 1) / tasksPerNode);
    const min = Math.max(least, nodes?.min ?? 1);
    return { nodes: { min, max: nodes?.max ?? min }, fewest: false };
  }
  if (tasks === undefined) return { nodes: nodes ?? { min: 1, max: 1 }, fewest: false };
  // Every session has a rank.
  if (nodes !== undefined) return { nodes: { min: nodes.min, max: Math.min(nodes.max, tasks) }, fewest: false };
  return { nodes: { min: 1, max: tasks }, fewest: true };
}

/** CPUs of all its sessions together, when it has as few of them as it may. */
export function cpusOfGang(gang: Ranks): number {
  const { tasks, tasksPerNode, cpusPerTask } = gang;
  const { nodes } = rangeOf(gang);
  return (tasksPerNode === undefined ? (tasks ?? nodes.min) : nodes.min * tasksPerNode) * cpusPerTask;
}
