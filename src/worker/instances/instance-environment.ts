import { availableParallelism } from 'node:os';
import type { MachineOrder } from '../../api/instance-session.ts';
import type { JobForWorker } from '../../api/session.ts';
import { rawIdOf } from '../../core/ids.ts';
import type { Machine } from '../../providers/provider.ts';

/** Below the log directory. */
export const OUTPUT = 'cloud-init-output.log';

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * For MPI: members are on one machine and know each other by loopback addresses, each is a node with ranks of its own, remote starts go
 * through `ssh`, which is ours, and the SLURM_* variables of a task are no allocation of Slurm. docs/in-instance.md.
 */
const MPI: readonly [string, string][] = [
  ['OMPI_MCA_plm', 'rsh'],
  ['OMPI_MCA_ras', '^slurm'],
  ['OMPI_MCA_rmaps_base_mapping_policy', 'node'],
  ['OMPI_MCA_oob_tcp_if_include', 'lo'],
  ['OMPI_MCA_btl_tcp_if_include', 'lo'],
  // Without root these mean nothing.
  ['OMPI_ALLOW_RUN_AS_ROOT', '1'],
  ['OMPI_ALLOW_RUN_AS_ROOT_CONFIRM', '1'],
  ['HYDRA_BOOTSTRAP', 'ssh'],
];

const BYTES_IN_MB = 1024 * 1024;

/**
 * What everything in an instance has in its environment, besides what its job brings. Later names win over earlier ones.
 * @param cpusHere what the machine below has: an instance of a larger type has no more
 */
export function instanceVariables(
  { order, places }: Pick<Machine, 'order' | 'places'>,
  size: number,
  cpusHere = availableParallelism(),
): Map<string, string> {
  const { env, master, index, rank } = order;
  const { vcpus, memoryBytes } = order.type;
  // All of the instance is its task's.
  const cpus = String(Math.min(vcpus, cpusHere));
  const own = {
    JOB_ARRAY_ID: order.arrayId,
    JOB_ARRAY_NAME: order.arrayName,
    JOB_ARRAY_INDEX: String(index),
    TASK_ARRAY_INDEX: String(index),
    SPAWN_TASK_ID: `${order.jobId}_${index}`,
    SPAWN_JOB_ID: String(order.jobId),
    SPAWN_ARRAY_INDEX: String(index),
    SPAWN_ORDINAL: String(rank),
    RANK: String(rank),
    LOCAL_RANK: '0',
    SPAWN_CPUS: cpus,
    SPAWN_MEMORY_BYTES: String(memoryBytes),
    SLURM_CPUS_PER_TASK: cpus,
    SLURM_CPUS_ON_NODE: cpus,
    SLURM_JOB_CPUS_PER_NODE: cpus,
    SLURM_MEM_PER_NODE: String(Math.ceil(memoryBytes / BYTES_IN_MB)),
    MASTER_ADDR: master.address,
    MASTER_PORT: String(master.port),
    SPAWN_INSTANCE_ID: order.id,
    SPAWN_INSTANCE_NAME: order.name,
    SPAWN_INSTANCE_TYPE: order.type.name,
    SPAWN_INSTANCE_ADDRESS: order.address,
    SPAWN_INSTANCE_DNS: order.dns,
    SPAWN_REGION: order.region,
    SPAWN_ZONE: order.zone,
    SPAWN_PEERS_FILE: `${places.etc}/job-array-peers.json`,
    SPAWN_HOSTFILE: `${places.etc}/hostfile`,
    ...(places.isOwn ? {} : { SPAWN_ETC_DIR: places.etc, SPAWN_RUN_DIR: places.run, TMPDIR: places.tmp }),
  };
  // A parameter of the user's may not say that the instance is another one.
  const given = Object.entries(env).filter(([name]) => NAME.test(name));
  return new Map([...MPI, ...given, ...Object.entries({ ...own, ...sizeVariables(size) })]);
}

/** What changes with a resize. */
function sizeVariables(size: number): Record<string, string> {
  return { JOB_ARRAY_SIZE: String(size), TASK_ARRAY_SIZE: String(size), WORLD_SIZE: String(size) };
}

/** The same as it is now, for what starts after a resize, with Slurm's words of it. */
export function sizesNow(
  { standalone }: MachineOrder,
  size: number,
  maxIndex: number | undefined,
): Map<string, string> {
  const sizes = new Map(Object.entries(sizeVariables(size)));
  if (standalone) return sizes;
  sizes.set('SLURM_ARRAY_TASK_COUNT', String(size));
  if (maxIndex !== undefined) sizes.set('SLURM_ARRAY_TASK_MAX', String(maxIndex));
  return sizes;
}

/** Of its one task what is known before an attempt: a login may come first. */
export function taskVariables({ rank, index }: MachineOrder, job: JobForWorker): string[] {
  const rawId = rawIdOf(job, rank);
  return [`SLURM_JOB_ID=${rawId}`, `SLURM_JOBID=${rawId}`, ...(job.isArray ? [`SLURM_ARRAY_TASK_ID=${index}`] : [])];
}

function assignmentsOf(variables: ReadonlyMap<string, string>): string[] {
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

/** Variables of an instance that its job must not set otherwise. */
export function addVariables(env: readonly string[], variables: ReadonlyMap<string, string>, bin: string): string[] {
  const kept = env.filter((entry) => !variables.has(entry.slice(0, entry.indexOf('='))));
  return withBin([...kept, ...assignmentsOf(variables)], bin);
}

/** PATH with the programs of the instance first. */
function withBin(env: readonly string[], bin: string): string[] {
  return env.map((entry) => {
    if (!entry.startsWith('PATH=') || entry.slice(5).split(':').includes(bin)) return entry;
    return `PATH=${bin}:${entry.slice(5)}`;
  });
}

/** Of a job's environment what says where a task is: given to logins as well. */
const SHOWN = /^(JOB_ARRAY|TASK_ARRAY|SLURM|SPAWN|PARAM)_/;
/** Only what belongs to one attempt may carry it: what dies with the attempt is found by it. */
const OF_ATTEMPT: ReadonlySet<string> = new Set(['SPAWN_FENCE', 'SPAWN_SESSION']);

/** Variables that a login sees once a task is known: `NAME=value` entries of its environment, the last of a name counts. */
export function shownOf(env: readonly string[]): Map<string, string> {
  const shown = new Map<string, string>();
  for (const entry of env) {
    const name = entry.slice(0, entry.indexOf('='));
    if (SHOWN.test(name) && !OF_ATTEMPT.has(name)) shown.set(name, entry.slice(name.length + 1));
  }
  return shown;
}
