import type { NodeCount } from '../../../config/slurm/nodes.ts';

/** What a job has of one node. */
export interface AllocatedNode {
  readonly name: string;
  readonly cpus: number;
}

/** The part of a step's options that says how many processes run where. */
export interface StepShape {
  readonly nodes?: NodeCount | undefined;
  readonly tasks?: number | undefined;
  readonly tasksPerNode?: number | undefined;
  readonly cpusPerTask?: number | undefined;
  /** Number of the allocation's node that the step begins on. */
  readonly relative?: number | undefined;
  /** Names; the others are not used. */
  readonly nodelist?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  /** Ranks in turn over the nodes; otherwise neighbours share one. */
  readonly cyclic?: boolean | undefined;
  /** There may be more ranks than CPUs. */
  readonly overcommit?: boolean | undefined;
  /** It takes the CPUs of its ranks, and not all of its nodes. */
  readonly exact?: boolean | undefined;
  /** It shares CPUs with other steps. */
  readonly overlap?: boolean | undefined;
}

export interface StepNode {
  /** Its number in the allocation. */
  readonly place: number;
  readonly name: string;
  /** Numbers of the processes that run there. */
  readonly ranks: readonly number[];
}

export interface StepPlan {
  readonly nodes: readonly StepNode[];
  readonly tasks: number;
  /** CPUs that it has for itself, by the place of the node. */
  readonly cpus: Readonly<Record<number, number>>;
  /** What was not as asked for. */
  readonly warnings: readonly string[];
}

/** Why there can be no such step; `create` is what the controller would say. */
export type StepRefusal = { readonly error: string } | { readonly create: string };

const NO_CPUS = { create: 'More processors requested than permitted' } as const;
const NO_SUCH_NODES = { create: 'Requested node configuration is not available' } as const;

/** Which ranks of a step run on which nodes of the allocation, by Slurm's default of blocks. */
export function planStep(allocation: readonly AllocatedNode[], shape: StepShape): StepPlan | StepRefusal {
  const { relative = 0, tasksPerNode, cpusPerTask = 1, overcommit = false } = shape;
  const warnings: string[] = [];
  const all = allocation.length;
  const asked = shape.nodes === undefined || shape.nodes.min === 0 ? undefined : shape.nodes;
  if ((asked?.min ?? 1) > all) return { error: `Only allocated ${all} nodes asked for ${asked!.min}` };
  let least = asked?.min ?? (shape.nodelist === undefined ? 1 : Math.max(1, shape.nodelist.length));
  const tasks = shape.tasks ?? least * (tasksPerNode ?? 1);
  if (shape.tasks !== undefined && tasks < least) {
    warnings.push(`Warning: can't run ${tasks} processes on ${least} nodes, setting nnodes to ${tasks}`);
    least = tasks;
  }
  if (relative > 0 && relative + least > all) {
    return {
      error: `--relative and --nodes option incompatible with count of allocated nodes (${relative}+${least}>${all})`,
    };
  }
  const most = Math.min(Math.max(least, asked?.max ?? all), tasks);
  const used = usable(allocation, shape, relative).slice(0, Math.max(most, least));
  if (used.length < least || used.length === 0) return NO_SUCH_NODES;
  const room = used.map(({ cpus }) => (overcommit ? tasks : Math.max(1, Math.floor(cpus / cpusPerTask))));
  const total = used.reduce((sum, { cpus }) => sum + cpus, 0);
  if (!overcommit && tasks * cpusPerTask > total) return NO_CPUS;
  const each = perNode(tasksPerNode, tasks, used.length, warnings);
  const counts = share(
    tasks,
    room.map((count) => Math.min(count, each)),
  );
  if (counts === undefined) return NO_CPUS;
  const nodes = number(used, counts, shape.cyclic === true);
  return { nodes, tasks, warnings, cpus: ownCpus(nodes, allocation, shape) };
}

interface Placed extends AllocatedNode {
  readonly place: number;
}

function usable(allocation: readonly AllocatedNode[], shape: StepShape, relative: number): readonly Placed[] {
  const places = allocation.map((node, place) => ({ ...node, place }));
  const { nodelist, exclude = [] } = shape;
  const names = new Set(allocation.map(({ name }) => name));
  // A node that the job does not have cannot be had.
  if (nodelist?.some((name) => !names.has(name))) return [];
  return places.filter(
    ({ name, place }) => place >= relative && !exclude.includes(name) && (nodelist?.includes(name) ?? true),
  );
}

/** `--ntasks-per-node` beside a number of tasks that it does not fit is not kept. */
function perNode(tasksPerNode: number | undefined, tasks: number, nodes: number, warnings: string[]): number {
  if (tasksPerNode === undefined) return Number.POSITIVE_INFINITY;
  if (tasksPerNode * nodes >= tasks) return tasksPerNode;
  warnings.push(
    `Warning: can't honor --ntasks-per-node set to ${tasksPerNode} which doesn't match the requested tasks ${tasks} with the number of requested nodes ${nodes}. Ignoring --ntasks-per-node.`,
  );
  return Number.POSITIVE_INFINITY;
}

/** How many run on each: as evenly as each has room. Undefined: there is too little. */
function share(tasks: number, room: readonly number[]): readonly number[] | undefined {
  const counts: number[] = room.map(() => 0);
  for (let left = tasks; left > 0; ) {
    const open = room.flatMap((most, at) => (counts[at]! < most ? [at] : []));
    if (open.length === 0) return undefined;
    const fewest = Math.min(...open.map((at) => room[at]! - counts[at]!));
    const rounds = Math.max(1, Math.min(fewest, Math.floor(left / open.length)));
    for (const at of open) {
      const more = Math.min(rounds, left);
      counts[at]! += more;
      left -= more;
    }
  }
  return counts;
}

function number(used: readonly Placed[], counts: readonly number[], cyclic: boolean): readonly StepNode[] {
  const ranks = counts.map((): number[] => []);
  let rank = 0;
  for (let round = 0; counts.some((count) => count > round); round += 1) {
    counts.forEach((count, at) => {
      if (cyclic && count > round) ranks[at]!.push(rank++);
      if (!cyclic && round === 0) while (ranks[at]!.length < count) ranks[at]!.push(rank++);
    });
  }
  return used
    .map(({ place, name }, at) => ({ place, name, ranks: ranks[at]! }))
    .filter((node) => node.ranks.length > 0);
}

/** All CPUs of its nodes, unless it was to take no more than it needs, or none of its own. */
function ownCpus(nodes: readonly StepNode[], allocation: readonly AllocatedNode[], shape: StepShape): StepPlan['cpus'] {
  if (shape.overlap) return {};
  const needed = (count: number, cpus: number) => (shape.exact ? count * (shape.cpusPerTask ?? 1) : cpus);
  return Object.fromEntries(
    nodes.map(({ place, ranks }) => {
      const { cpus } = allocation[place]!;
      return [place, Math.min(cpus, needed(ranks.length, cpus))];
    }),
  );
}
