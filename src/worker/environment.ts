import { homedir, userInfo } from 'node:os';
import type { JobForWorker } from '../api/session.ts';
import { asJobId, formatTaskId } from '../core/ids.ts';
import type { IndexSet } from '../core/index-set.ts';
import type { Grant } from './queue.ts';

/** Variables of a task that are the same for every task of its job. The table of docs/environment.md is checked against these lists. */
export const JOB_VARIABLES = [
  'JOB_ARRAY_ID',
  'JOB_ARRAY_NAME',
  'JOB_ARRAY_SIZE',
  'TASK_ARRAY_SIZE',
  'SLURM_JOB_NAME',
  'SLURM_SUBMIT_DIR',
  'SLURM_CPUS_PER_TASK',
  'SLURM_CPUS_ON_NODE',
  'SLURM_MEM_PER_NODE',
  'SLURM_JOB_DEPENDENCY',
  'SLURM_ARRAY_JOB_ID',
  'SLURM_ARRAY_TASK_COUNT',
  'SLURM_ARRAY_TASK_MIN',
  'SLURM_ARRAY_TASK_MAX',
  'SLURM_ARRAY_TASK_STEP',
  'SPAWN_JOB_ID',
  'SPAWN_CPUS',
  'SPAWN_SESSION',
  'PWD',
] as const;
type JobVariable = (typeof JOB_VARIABLES)[number];

/** Variables that differ from task to task. */
export const TASK_VARIABLES = [
  'JOB_ARRAY_INDEX',
  'TASK_ARRAY_INDEX',
  'SLURM_JOB_ID',
  'SLURM_JOBID',
  'SLURM_RESTART_COUNT',
  'SLURM_ARRAY_TASK_ID',
  'SPAWN_TASK_ID',
  'SPAWN_ARRAY_INDEX',
  'SPAWN_ORDINAL',
  'SPAWN_ATTEMPT',
  'SPAWN_FENCE',
] as const;
type TaskVariable = (typeof TASK_VARIABLES)[number];

const OWN: ReadonlySet<string> = new Set([...JOB_VARIABLES, ...TASK_VARIABLES]);
const BYTES_IN_MB = 1024 * 1024;

/** `NAME=value` of each variable that is set. */
function assignments(values: Partial<Record<string, string | number | undefined>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
}

/** What a task sees of this machine when its job brought no environment. */
export function minimalEnvironment(): string[] {
  const { username, shell } = userInfo();
  return assignments({
    PATH: process.env.PATH || '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: process.env.HOME || homedir(),
    USER: username,
    LOGNAME: username,
    SHELL: shell || '/bin/sh',
    LANG: process.env.LANG || 'C.UTF-8',
  });
}

/** `NAME=value` of each entry of a snapshot, whose entries are separated by NUL. What is no assignment is left out. */
export function parseSnapshot(bytes: Uint8Array): string[] {
  return new TextDecoder()
    .decode(bytes)
    .split('\0')
    .filter((entry) => entry.indexOf('=') > 0);
}

/**
 * The environment that all tasks of a job share: `base`, then the variables of the spec, then those of JOB_VARIABLES.
 *
 * @param session what `SPAWN_SESSION` shall be: marks every process of a worker session
 */
export function jobEnvironment(
  job: JobForWorker,
  indices: IndexSet,
  base: readonly string[],
  session: string,
): string[] {
  const cpus = Math.max(1, Math.ceil(job.cpus));
  const ofArray: Partial<Record<JobVariable, string | number>> = job.isArray
    ? {
        SLURM_ARRAY_JOB_ID: job.id,
        SLURM_ARRAY_TASK_COUNT: job.size,
        SLURM_ARRAY_TASK_MIN: indices.min,
        SLURM_ARRAY_TASK_MAX: indices.max,
        SLURM_ARRAY_TASK_STEP: indices.step(),
      }
    : {};
  const own: Partial<Record<JobVariable, string | number | undefined>> = {
    JOB_ARRAY_ID: job.arrayId,
    JOB_ARRAY_NAME: job.name,
    JOB_ARRAY_SIZE: job.size,
    TASK_ARRAY_SIZE: job.size,
    SLURM_JOB_NAME: job.name,
    SLURM_SUBMIT_DIR: job.cwd,
    SLURM_CPUS_PER_TASK: cpus,
    SLURM_CPUS_ON_NODE: cpus,
    SLURM_MEM_PER_NODE: job.memoryBytes > 0 ? Math.ceil(job.memoryBytes / BYTES_IN_MB) : undefined,
    SLURM_JOB_DEPENDENCY: job.after,
    ...ofArray,
    SPAWN_JOB_ID: job.id,
    SPAWN_CPUS: job.cpus,
    SPAWN_SESSION: session,
    PWD: job.cwd,
  };
  const merged = new Map<string, string>();
  for (const entry of base) {
    const name = entry.slice(0, entry.indexOf('='));
    // Submitted from inside a task, the snapshot has that task's variables: those this task does not set must not remain.
    if (!OWN.has(name)) merged.set(name, entry);
  }
  for (const [name, value] of Object.entries(job.env)) {
    // A name with `=` in it would be another variable than it says, for example a second SPAWN_FENCE.
    if (name !== '' && !name.includes('=')) merged.set(name, `${name}=${value}`);
  }
  for (const entry of assignments(own)) merged.set(entry.slice(0, entry.indexOf('=')), entry);
  return [...merged.values()];
}

/** What one task has besides: wins over the environment of its job. */
export function taskEnvironment(job: JobForWorker, indices: IndexSet, grant: Grant): string[] {
  const index = indices.at(grant.position);
  const rawId = job.rawIdBase + grant.position;
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
  if (grant.attempt > 1) env.push(`SLURM_RESTART_COUNT=${grant.attempt - 1}`);
  return env;
}
