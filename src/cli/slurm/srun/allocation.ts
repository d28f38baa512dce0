import { join } from 'node:path';
import { CLUSTER } from '../../../api/slurm-names.ts';
import { stepFolder } from '../../../client/node/steps/step-folder.ts';
import { parseHostlist } from '../../../config/slurm/hostlist.ts';
import type { AllocatedNode } from './plan-step.ts';

/** The task in which srun runs: its steps share what that has. */
export interface Allocation {
  /** As SLURM_JOB_ID says. */
  readonly job: number;
  readonly fence: number;
  /** Where what is known of its steps is kept. */
  readonly folder: string;
  /** This process is on the first node; steps of a gang are started there. */
  readonly isFirst: boolean;
  readonly nodes: readonly AllocatedNode[];
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The task of ours that this process is part of. Undefined outside of one, and in a job of a real Slurm: that may have been submitted from one of our tasks and have got its
 * variables, or run a worker of ours.
 */
export function allocationOf(env: Env, temporary: string): Allocation | undefined {
  const { SPAWN_FENCE: fence = '', SPAWN_JOB_ID: own, SLURM_JOB_ID: job = '', SPAWN_STEP_DIR: base } = env;
  const isArray = env.SLURM_ARRAY_JOB_ID !== undefined;
  const isSame = (isArray ? env.SLURM_ARRAY_JOB_ID : job) === own;
  if (env.SLURM_CLUSTER_NAME !== CLUSTER || !isSame || !NUMBER.test(fence) || !NUMBER.test(job)) return undefined;
  const nodes = nodesOf(env);
  return {
    job: Number(job),
    fence: Number(fence),
    folder: stepFolder(base || join(temporary, `spawn-steps-${process.getuid?.() ?? 0}`), Number(fence)),
    isFirst: nodes.length === 1 || (env.SLURMD_NODENAME ?? nodes[0]!.name) === nodes[0]!.name,
    nodes,
  };
}

const NUMBER = /^[1-9]\d{0,15}$/;
const MOST_NODES = 65_536;

function nodesOf(env: Env): readonly AllocatedNode[] {
  const names = parseHostlist(env.SLURM_JOB_NODELIST || 'localhost');
  const cpus = parseCounts(env.SLURM_JOB_CPUS_PER_NODE ?? '');
  return names.map((name, at) => ({ name, cpus: cpus[at] ?? cpus.at(-1) ?? 1 }));
}

/** 3, 1, 1 of `3,1(x2)`. */
export function parseCounts(text: string): readonly number[] {
  return text.split(',').flatMap((part) => {
    const [, count, times = '1'] = /^(\d{1,6})(?:\(x(\d{1,5})\))?$/.exec(part) ?? [];
    return count === undefined ? [] : Array.from({ length: Math.min(Number(times), MOST_NODES) }, () => Number(count));
  });
}
