import type { Placement } from '../api/gang.ts';
import type { JobForWorker } from '../api/session.ts';
import { formatCounts, formatHostlist } from '../core/hostlist.ts';

const BYTES_IN_MB = 1024 * 1024;

/**
 * What a task is told of the nodes that it was given, in place of what its job says of one: nodes by the names of their workers, the first of them
 * being this one. Slurm: sbatch(1), OUTPUT ENVIRONMENT VARIABLES.
 */
export function placementEnvironment(
  job: JobForWorker,
  placement: Placement,
): Record<string, string | number | undefined> {
  const { nodes, memoryBytes, gpus } = placement;
  const names = nodes.map(({ name }) => name);
  const cpus = nodes.map((node) => Math.max(1, Math.ceil(node.cpus)));
  const ranks = nodes.map(({ tasks }) => tasks);
  const [first] = nodes;
  return {
    SLURM_JOB_NODELIST: formatHostlist(names),
    SLURM_NODELIST: formatHostlist(names),
    SLURM_JOB_NUM_NODES: nodes.length,
    SLURM_NNODES: nodes.length,
    SLURMD_NODENAME: first!.name,
    SLURM_CPUS_ON_NODE: cpus[0],
    SLURM_JOB_CPUS_PER_NODE: formatCounts(cpus),
    SLURM_GPUS_ON_NODE: gpus > 0 ? gpus : undefined,
    SPAWN_CPUS: first!.cpus,
    SPAWN_GPUS: gpus > 0 ? gpus : undefined,
    SPAWN_MEMORY_BYTES: memoryBytes > 0 ? memoryBytes : undefined,
    SLURM_TASKS_PER_NODE: formatCounts(asked(job, placement) ?? ranks),
    ...ranksOf(job, placement),
    ...memoryOf(job, placement),
  };
}

/** Of an exclusive task without nodes or ranks of its own: as many as it asked for, whatever would fit. */
function asked({ slurm }: JobForWorker, { nodes, whole }: Placement): number[] | undefined {
  const { ntasks, ntasksPerNode } = slurm ?? {};
  return whole && nodes.length === 1 && (ntasks ?? ntasksPerNode) !== undefined
    ? [(ntasks ?? ntasksPerNode)!]
    : undefined;
}

/** Of Slurm's commands they are told only when they were asked for: programs take them for a wish. */
function ranksOf({ slurm }: JobForWorker, { nodes }: Placement): Record<string, string | number | undefined> {
  const [first] = nodes;
  if (slurm === undefined) {
    const tasks = nodes.reduce((sum, node) => sum + node.tasks, 0);
    return { SLURM_NTASKS: tasks, SLURM_CPUS_PER_TASK: Math.max(1, Math.floor(first!.cpus / first!.tasks)) };
  }
  const { ntasks, ntasksPerNode } = slurm;
  const tasks = ntasks ?? (ntasksPerNode === undefined ? undefined : ntasksPerNode * nodes.length);
  return tasks === undefined ? {} : { SLURM_NTASKS: tasks, SLURM_NPROCS: tasks };
}

/** As it was asked for: of the node, of a CPU or of a GPU. */
function memoryOf({ slurm }: JobForWorker, { nodes, memoryBytes, gpus, whole }: Placement): Record<string, number> {
  // Of a whole worker the memory was given for what was asked, and the job says that.
  if (memoryBytes === 0 || whole) return {};
  const each = (count: number) => Math.ceil(memoryBytes / BYTES_IN_MB / Math.max(1, Math.ceil(count)));
  if (slurm?.memPer === 'cpu') return { SLURM_MEM_PER_CPU: each(nodes[0]!.cpus) };
  if (slurm?.memPer === 'gpu') return { SLURM_MEM_PER_GPU: each(gpus) };
  return { SLURM_MEM_PER_NODE: each(1) };
}
