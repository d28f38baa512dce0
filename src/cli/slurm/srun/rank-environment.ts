import { formatCounts, formatHostlist } from '../../../core/hostlist.ts';
import type { StepPlan } from './plan-step.ts';

/** What ranks are told of their step. */
export interface StepFacts {
  readonly plan: StepPlan;
  readonly step: number;
  /** Of the whole allocation. */
  readonly allocated: number;
  readonly cpusPerTask: number | undefined;
  readonly umask: number;
  readonly distribution: string | undefined;
}

type Values = Readonly<Record<string, string>>;

/** What all ranks of a step have over the environment of srun. Slurm: srun(1), OUTPUT ENVIRONMENT VARIABLES. */
export function stepVariables({ plan, step, allocated, cpusPerTask, umask, distribution }: StepFacts): Values {
  const { nodes, tasks } = plan;
  const each = formatCounts(nodes.map(({ ranks }) => ranks.length));
  return {
    SLURM_STEP_ID: String(step),
    SLURM_STEPID: String(step),
    SLURM_STEP_NODELIST: formatHostlist(nodes.map(({ name }) => name)),
    SLURM_STEP_NUM_NODES: String(nodes.length),
    SLURM_STEP_NUM_TASKS: String(tasks),
    SLURM_STEP_TASKS_PER_NODE: each,
    SLURM_NTASKS: String(tasks),
    SLURM_NPROCS: String(tasks),
    SLURM_NNODES: String(nodes.length),
    SLURM_JOB_NUM_NODES: String(allocated),
    SLURM_TASKS_PER_NODE: each,
    SLURM_DISTRIBUTION: distribution ?? 'block',
    SLURM_UMASK: umask.toString(8).padStart(4, '0'),
    SLURM_PRIO_PROCESS: '0',
    SLURM_SRUN_COMM_HOST: '127.0.0.1',
    SLURM_LAUNCH_NODE_IPADDR: '127.0.0.1',
    ...(cpusPerTask === undefined ? {} : { SLURM_CPUS_PER_TASK: String(cpusPerTask) }),
  };
}

/** What one rank has besides. @param node number of its node in the step @param cpus of the allocation there */
export function rankVariables({ nodes }: StepPlan, node: number, local: number, cpus: number): Values {
  const { name, ranks } = nodes[node]!;
  return {
    SLURM_PROCID: String(ranks[local]),
    SLURM_LOCALID: String(local),
    SLURM_NODEID: String(node),
    SLURM_GTIDS: ranks.join(),
    SLURM_CPUS_ON_NODE: String(cpus),
    SLURMD_NODENAME: name,
    SLURM_TOPOLOGY_ADDR: name,
    SLURM_TOPOLOGY_ADDR_PATTERN: 'node',
  };
}

/** They say which attempt a process belongs to, so they stay whatever `--export` says. */
const MARKS = /^(?:SPAWN_|SLURM_)/;

/**
 * The environment that `--export` leaves of that of srun. @param base all: everything; none: what belongs to the job alone
 */
export function exportedEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  exported: { readonly base: 'all' | 'none'; readonly variables: Values; readonly shown?: string } | undefined,
): Record<string, string> {
  const { base = 'all', variables = {}, shown } = exported ?? {};
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && (base === 'all' || MARKS.test(entry[0])),
  );
  return {
    ...Object.fromEntries(kept),
    ...(shown === undefined ? {} : { SLURM_EXPORT_ENV: shown }),
    ...variables,
    ...(env.SPAWN_FENCE === undefined ? {} : { SPAWN_FENCE: env.SPAWN_FENCE }),
    ...(env.SPAWN_SESSION === undefined ? {} : { SPAWN_SESSION: env.SPAWN_SESSION }),
  };
}
