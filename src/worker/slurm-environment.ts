import type { JobForWorker } from '../api/session.ts';
import { CLUSTER, PARTITION } from '../api/slurm-names.ts';
import type { IndexSet } from '../core/index-set.ts';

/** Variables with Slurm's names that are the same for every task of a job. */
export const SLURM_JOB_VARIABLES = [
  'SLURM_CLUSTER_NAME',
  'SLURM_JOB_NAME',
  'SLURM_JOB_PARTITION',
  'SLURM_SUBMIT_DIR',
  'SLURM_CPUS_PER_TASK',
  'SLURM_CPUS_ON_NODE',
  'SLURM_JOB_CPUS_PER_NODE',
  'SLURM_MEM_PER_NODE',
  'SLURM_GPUS_ON_NODE',
  'SLURM_JOB_USER',
  'SLURM_NTASKS',
  'SLURM_TASKS_PER_NODE',
  'SLURM_NNODES',
  'SLURM_JOB_NUM_NODES',
  'SLURM_NODELIST',
  'SLURM_JOB_NODELIST',
  'SLURMD_NODENAME',
  'SLURM_NODEID',
  'SLURM_PROCID',
  'SLURM_LOCALID',
  'SLURM_GTIDS',
  'SLURM_JOB_DEPENDENCY',
  'SLURM_ARRAY_JOB_ID',
  'SLURM_ARRAY_TASK_COUNT',
  'SLURM_ARRAY_TASK_MIN',
  'SLURM_ARRAY_TASK_MAX',
  'SLURM_ARRAY_TASK_STEP',
] as const;

/** Those that only a job of Slurm's commands has. */
export const SBATCH_VARIABLES = [
  'SLURM_JOB_ACCOUNT',
  'SLURM_JOB_QOS',
  'SLURM_JOB_UID',
  'SLURM_JOB_GID',
  'SLURM_SUBMIT_HOST',
  'SLURM_MEM_PER_CPU',
  'SLURM_MEM_PER_GPU',
  'SLURM_NPROCS',
  'SLURM_NTASKS_PER_NODE',
] as const;

type Variable = (typeof SLURM_JOB_VARIABLES)[number] | (typeof SBATCH_VARIABLES)[number];
type Values = Partial<Record<Variable, string | number | undefined>>;

const BYTES_IN_MB = 1024 * 1024;

/** What they are for one job. Slurm: sbatch(1), OUTPUT ENVIRONMENT VARIABLES. @param host name of the machine, without its domain */
export function slurmVariables(job: JobForWorker, indices: IndexSet, host: string): Values {
  const { gpus = 0, slurm } = job;
  const cpus = Math.max(1, Math.ceil(job.cpus));
  return {
    SLURM_CLUSTER_NAME: CLUSTER,
    SLURM_JOB_NAME: slurm?.name ?? job.name,
    // Of several it is the first that would be taken.
    SLURM_JOB_PARTITION: slurm?.partition?.split(',')[0] || PARTITION,
    SLURM_SUBMIT_DIR: slurm?.submitDir ?? job.cwd,
    SLURM_CPUS_PER_TASK: cpus,
    SLURM_CPUS_ON_NODE: cpus,
    SLURM_JOB_CPUS_PER_NODE: cpus,
    SLURM_GPUS_ON_NODE: gpus > 0 ? Math.ceil(gpus) : undefined,
    SLURM_JOB_USER: job.user,
    SLURM_NTASKS: 1,
    SLURM_TASKS_PER_NODE: 1,
    SLURM_NNODES: 1,
    SLURM_JOB_NUM_NODES: 1,
    SLURM_NODELIST: host,
    SLURM_JOB_NODELIST: host,
    SLURMD_NODENAME: host,
    SLURM_NODEID: 0,
    SLURM_PROCID: 0,
    SLURM_LOCALID: 0,
    SLURM_GTIDS: 0,
    SLURM_JOB_DEPENDENCY: job.after,
    ...memoryVariables(job),
    ...(job.isArray ? arrayVariables(job, indices) : {}),
    ...(slurm === undefined ? {} : sbatchVariables(slurm)),
  };
}

function arrayVariables(job: JobForWorker, indices: IndexSet): Values {
  return {
    SLURM_ARRAY_JOB_ID: job.id,
    SLURM_ARRAY_TASK_COUNT: job.size,
    SLURM_ARRAY_TASK_MIN: indices.min,
    SLURM_ARRAY_TASK_MAX: indices.max,
    SLURM_ARRAY_TASK_STEP: indices.step(),
  };
}

/** As it was asked for: of the machine, of a CPU or of a GPU. */
function memoryVariables({ memoryBytes, cpus, gpus = 0, slurm }: JobForWorker): Values {
  // Of a gang a task has its own, besides what its nodes have.
  const ofOne = slurm?.memPerBytes ? Math.ceil(slurm.memPerBytes / BYTES_IN_MB) : undefined;
  if (memoryBytes === 0) return slurm?.memPer === 'gpu' ? { SLURM_MEM_PER_GPU: ofOne } : { SLURM_MEM_PER_CPU: ofOne };
  const each = (count: number) => Math.ceil(memoryBytes / BYTES_IN_MB / Math.max(1, Math.ceil(count)));
  if (slurm?.memPer === 'cpu') return { SLURM_MEM_PER_CPU: each(cpus) };
  if (slurm?.memPer === 'gpu') return { SLURM_MEM_PER_GPU: each(gpus) };
  return { SLURM_MEM_PER_NODE: each(1) };
}

/** Some that other jobs always have are there only when they were asked for, as in Slurm: programs take them for a wish. */
function sbatchVariables(slurm: NonNullable<JobForWorker['slurm']>): Values {
  const { ntasks, ntasksPerNode } = slurm;
  const tasks = ntasks ?? ntasksPerNode;
  return {
    SLURM_JOB_ACCOUNT: slurm.account,
    SLURM_JOB_QOS: slurm.qos,
    SLURM_JOB_UID: slurm.uid,
    SLURM_JOB_GID: slurm.gid,
    SLURM_SUBMIT_HOST: slurm.submitHost,
    SLURM_CPUS_PER_TASK: slurm.cpusPerTask,
    SLURM_NTASKS: tasks,
    SLURM_NPROCS: tasks,
    SLURM_NTASKS_PER_NODE: ntasksPerNode,
    SLURM_TASKS_PER_NODE: tasks ?? 1,
  };
}
