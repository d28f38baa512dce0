import { userInfo } from 'node:os';
import type { JobForWorker } from '../api/session.ts';
import type { Gpu, GpuVendor } from '../core/gpu-list.ts';
import { asJobId, formatTaskId, rawIdOf } from '../core/ids.ts';
import type { IndexSet } from '../core/index-set.ts';
import { PID_ENTRY } from './forker/protocol.ts';
import { GPU_VARIABLES, gpuEnvironment } from './gpu-environment.ts';
import { placementEnvironment } from './placement-environment.ts';
import type { Grant } from './queue.ts';
import { SBATCH_VARIABLES, SLURM_JOB_VARIABLES, slurmVariables } from './slurm-environment.ts';

/** Variables of a task that are the same for every task of its job. The table of docs/environment.md is checked against these lists. */
export const JOB_VARIABLES = [
  'JOB_ARRAY_ID',
  'JOB_ARRAY_NAME',
  'JOB_ARRAY_SIZE',
  'TASK_ARRAY_SIZE',
  ...SLURM_JOB_VARIABLES,
  ...SBATCH_VARIABLES,
  'SPAWN_JOB_ID',
  'SPAWN_CPUS',
  'SPAWN_MEMORY_BYTES',
  'SPAWN_GPUS',
  'SPAWN_RESOURCES',
  'SPAWN_SESSION',
  'SPAWN_STEP_DIR',
  'SPAWN_TASK_SOCKET',
  'PWD',
] as const;
type JobVariable = (typeof JOB_VARIABLES)[number];

/** Variables that differ from task to task. */
export const TASK_VARIABLES = [
  'JOB_ARRAY_INDEX',
  'TASK_ARRAY_INDEX',
  'SLURM_JOB_ID',
  'SLURM_JOBID',
  'SLURM_JOB_GPUS',
  'SLURM_RESTART_COUNT',
  'SLURM_TASK_PID',
  'SLURM_ARRAY_TASK_ID',
  'SPAWN_TASK_ID',
  'SPAWN_ARRAY_INDEX',
  'SPAWN_ORDINAL',
  'SPAWN_ATTEMPT',
  'SPAWN_FENCE',
  'SPAWN_TASK_SECRET',
  'SPAWN_PART_FILE',
  'SPAWN_PART_RECORDS',
  'SPAWN_INPUT',
  'SPAWN_OUTPUT_DIR',
  'SPAWN_OUTPUT_FILE',
] as const;
type TaskVariable = (typeof TASK_VARIABLES)[number];

/** What tasks are told of where they run. */
export interface Place {
  /** What `SPAWN_SESSION` shall be: marks every process of a worker session. */
  readonly session: string;
  /** Name of the machine, without its domain. */
  readonly host: string;
  /** What `SPAWN_STEP_DIR` shall be: where srun keeps what it knows of its steps. */
  readonly steps?: string | undefined;
  /** Where tasks reach their worker, and a directory for their PATH with the `spored` by which they do; undefined where nobody answers. */
  readonly calls?: { readonly socket: string; readonly programs?: string } | undefined;
  /** Of the worker's GPUs; undefined when it has none. */
  readonly gpuVendor: GpuVendor | undefined;
}

const OWN: ReadonlySet<string> = new Set([...JOB_VARIABLES, ...TASK_VARIABLES]);
const DEVICES: ReadonlySet<string> = new Set(GPU_VARIABLES);

/** `NAME=value` of each variable that is set. */
function assignments(values: Partial<Record<string, string | number | undefined>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
}

/** What a task sees of this machine when its job brought no environment. */
export function minimalEnvironment(): string[] {
  const { home, name, shell } = ownUser();
  return assignments({
    PATH: process.env.PATH || '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: process.env.HOME || home,
    USER: name,
    LOGNAME: name,
    SHELL: shell,
    LANG: process.env.LANG || 'C.UTF-8',
  });
}

function ownUser(): { readonly home: string; readonly name: string; readonly shell: string } {
  try {
    const { homedir, username, shell } = userInfo();
    return { home: homedir, name: username, shell: shell || '/bin/sh' };
  } catch {
    // In containers a user may have a number and no name.
    return { home: '/', name: String(process.getuid?.() ?? 0), shell: '/bin/sh' };
  }
}

/** `NAME=value` of each entry of a snapshot, whose entries are separated by NUL. What is no assignment is left out. */
export function parseSnapshot(bytes: Uint8Array): string[] {
  return new TextDecoder()
    .decode(bytes)
    .split('\0')
    .filter((entry) => entry.indexOf('=') > 0);
}

/**
 * The environment that all tasks of a job share: `base`, then the variables of the spec, then those of JOB_VARIABLES. On a worker with
 * GPUs none is visible, unless taskEnvironment says which.
 */
export function jobEnvironment(
  job: JobForWorker,
  indices: IndexSet,
  base: readonly string[],
  { session, steps, calls, host, gpuVendor, cwd = job.cwd }: Place & { readonly cwd?: string },
): string[] {
  const { gpus = 0, resources = {} } = job;
  const own: Partial<Record<JobVariable, string | number | undefined>> = {
    JOB_ARRAY_ID: job.arrayId,
    JOB_ARRAY_NAME: job.name,
    JOB_ARRAY_SIZE: job.size,
    TASK_ARRAY_SIZE: job.size,
    ...slurmVariables(job, indices, host),
    SPAWN_JOB_ID: job.id,
    SPAWN_CPUS: job.cpus,
    SPAWN_MEMORY_BYTES: job.memoryBytes > 0 ? job.memoryBytes : undefined,
    SPAWN_GPUS: gpus > 0 ? gpus : undefined,
    SPAWN_RESOURCES: namedAmounts(resources),
    SPAWN_SESSION: session,
    SPAWN_STEP_DIR: steps,
    SPAWN_TASK_SOCKET: calls?.socket,
    PWD: cwd,
  };
  const merged = new Map<string, string>();
  for (const entry of base) {
    const name = entry.slice(0, entry.indexOf('='));
    // Submitted from inside a task, the snapshot has that task's variables: those this task does not set must not remain.
    if (!OWN.has(name) && !(gpuVendor !== undefined && DEVICES.has(name))) merged.set(name, entry);
  }
  for (const [name, value] of Object.entries(job.env)) {
    // A name with `=` in it would be another variable than it says, for example a second SPAWN_FENCE.
    if (name !== '' && !name.includes('=')) merged.set(name, `${name}=${value}`);
  }
  const path = withPrograms(calls?.programs, withShims(job.env, merged.get('PATH')));
  if (path !== undefined) merged.set('PATH', path);
  // As slurmd does, whatever the submitter had: scripts tell by it that nobody watches.
  if (job.slurm !== undefined) {
    merged.set('ENVIRONMENT', 'ENVIRONMENT=BATCH');
    if (!merged.has('TMPDIR')) merged.set('TMPDIR', 'TMPDIR=/tmp');
  }
  const hidden = gpuVendor === undefined ? [] : gpuEnvironment(gpuVendor, []);
  for (const entry of [...assignments(own), ...hidden]) merged.set(entry.slice(0, entry.indexOf('=')), entry);
  return [...merged.values()];
}

/**
 * On a cluster Slurm's commands are on every PATH. Where the submitter had them from a directory of shims and a task does not get his PATH, the
 * directory goes before its own.
 */
function withShims(env: JobForWorker['env'], path: string | undefined): string | undefined {
  const { SPAWN_SHIMS: shims, PATH: given } = env;
  if (!shims || given !== undefined) return path;
  const entry = path?.slice('PATH='.length) ?? '';
  return entry.split(':').includes(shims) ? path : `PATH=${shims}${entry === '' ? '' : `:${entry}`}`;
}

/** The `spored` that starts fast goes before any other. Without a PATH the system's own is used, which must stay so. */
function withPrograms(programs: string | undefined, path: string | undefined): string | undefined {
  if (programs === undefined || path === undefined) return path;
  const entries = path.slice('PATH='.length).split(':');
  return `PATH=${[programs, ...entries.filter((entry) => entry !== programs)].join(':')}`;
}

/** What a task proves with that it is the attempt it says. */
export function callSecret(secret: string): string {
  return `SPAWN_TASK_SECRET=${secret}` satisfies `${TaskVariable}=${string}`;
}

/** `license=2,scratch=0.5`; undefined when there is none. */
function namedAmounts(resources: Readonly<Record<string, number>>): string | undefined {
  const amounts = Object.entries(resources).filter(([, amount]) => amount > 0);
  return amounts.length === 0 ? undefined : amounts.map(([name, amount]) => `${name}=${amount}`).join();
}

/**
 * What one task has besides: wins over the environment of its job.
 * @param devices those that it uses
 */
export function taskEnvironment(job: JobForWorker, indices: IndexSet, grant: Grant, devices: readonly Gpu[]): string[] {
  const index = indices.at(grant.position);
  const rawId = rawIdOf(job, grant.position);
  const env = [
    `JOB_ARRAY_INDEX=${index}`,
    `TASK_ARRAY_INDEX=${index}`,
    `SLURM_JOB_ID=${rawId}`,
    `SLURM_JOBID=${rawId}`,
    `SPAWN_TASK_ID=${formatTaskId(asJobId(job.id), index)}`,
    `SPAWN_ARRAY_INDEX=${index}`,
    `SPAWN_ORDINAL=${grant.position}`,
    `SPAWN_ATTEMPT=${grant.attempt}`,
    `SPAWN_FENCE=${grant.fence}`,
  ] satisfies `${TaskVariable}=${string}`[] as string[];
  if (job.isArray) env.push(`SLURM_ARRAY_TASK_ID=${index}`);
  const [device] = devices;
  if (device !== undefined) {
    env.push(`SLURM_JOB_GPUS=${devices.map(({ id }) => id).join()}` satisfies `${TaskVariable}=${string}`);
    env.push(...gpuEnvironment(device.vendor, devices));
  }
  if (job.slurm !== undefined) env.push(PID_ENTRY);
  if (grant.attempt > 1) env.push(`SLURM_RESTART_COUNT=${grant.attempt - 1}`);
  if (grant.placement !== undefined) env.push(...assignments(placementEnvironment(job, grant.placement)));
  return env;
}
