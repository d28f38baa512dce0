/** Set for each task by spawn itself (docs/environment.md), now or in a later release: a value given here would be replaced. */
const OWN = new RegExp(
  '^(?:(?:SPAWN|JOB_ARRAY|TASK_ARRAY|SLURM_ARRAY)_(?!SERVER$|DATA_DIR$|RUNTIME_DIR$)|PWD$|SLURMD_NODENAME$|SLURM_(?:' +
    'JOB_ID|JOBID|JOB_NAME|JOB_USER|JOB_DEPENDENCY|JOB_CPUS_PER_NODE|JOB_GPUS|JOB_NUM_NODES|JOB_NODELIST|SUBMIT_DIR|' +
    'CPUS_PER_TASK|CPUS_ON_NODE|GPUS_ON_NODE|MEM_PER_NODE|RESTART_COUNT|NTASKS|TASKS_PER_NODE|NNODES|NODELIST|NODEID|' +
    'PROCID|LOCALID|GTIDS|CLUSTER_NAME|JOB_PARTITION|JOB_ACCOUNT|JOB_QOS|JOB_UID|JOB_GID|SUBMIT_HOST|MEM_PER_CPU|' +
    'MEM_PER_GPU|NPROCS|NTASKS_PER_NODE|TASK_PID)$)',
);

/** Whether tasks get a variable of this name from spawn, whatever was asked for. */
export function isOwnVariable(name: string): boolean {
  return OWN.test(name);
}
