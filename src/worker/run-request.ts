import type { Gpu } from '../core/gpu-list.ts';
import { rawIdOf } from '../core/ids.ts';
import { expandOutputPath } from '../core/output-path.ts';
import { paramVariables } from '../core/params.ts';
import { callSecret, taskEnvironment } from './environment.ts';
import type { RunRequest } from './forker/types.ts';
import type { KnownJob } from './job-book.ts';
import type { Grant } from './queue.ts';

/** What is the same for all tasks of this worker. */
export interface RunDefaults {
  /** Name of the machine, without its domain. */
  readonly host: string;
  readonly bindCpus: boolean;
  /** By which a task proves who it is, when it asks something of its worker; undefined where nobody answers. */
  readonly secretOf?: ((fence: number) => string | undefined) | undefined;
}

interface Run {
  readonly grant: Grant;
  readonly job: KnownJob;
  /** Devices of the task. */
  readonly gpus: readonly Gpu[];
}

/** What the forker is told to run for a task, without its place in a queue there. */
export function taskRequest({ grant, job, gpus }: Run, envId: number, defaults: RunDefaults): RunRequest {
  const { host, bindCpus, secretOf } = defaults;
  const { description, indices } = job;
  const { signal, openMode } = description;
  const [node] = grant.placement?.nodes ?? [];
  const cpus = node?.cpus ?? description.cpus;
  const { env, ...all } = shared({ grant, job, gpus }, envId);
  const secret = secretOf?.(grant.fence);
  return {
    ...all,
    env: secret === undefined ? env : [...env, callSecret(secret)],
    argv: job.prepared!.argv,
    cwd: job.prepared!.cwd,
    timeLimitMs: grant.timeLimitMs ?? description.timeLimitMs,
    memoryBytes: grant.placement?.memoryBytes ?? description.memoryBytes,
    ...(bindCpus ? { cpuMilli: Math.max(1, Math.round(cpus * 1_000)) } : {}),
    ...filesOf(description, grant, indices.at(grant.position), host),
    ...(openMode === 'append' ? { append: true } : {}),
    ...(signal === undefined || signal.steps
      ? {}
      : { warning: { signal: signal.number, beforeMs: signal.beforeMs, mainOnly: signal.mainOnly } }),
  };
}

/** A process that writes a line into the task's log in place of the task. */
export function explanationRequest(run: Run, envId: number, text: string): RunRequest {
  const argv = ['/bin/sh', '-c', 'printf "spawn: %s\\n" "$1" >&2', 'sh', text];
  return { ...shared(run, envId), argv, cwd: '/' };
}

function shared({ grant, job, gpus }: Run, envId: number) {
  const { description, indices } = job;
  return {
    fence: grant.fence,
    jobId: grant.jobId,
    position: grant.position,
    attempt: grant.attempt,
    envId,
    env: [...taskEnvironment(description, indices, grant, gpus), ...paramsOf(job, grant)],
    graceMs: description.graceMs,
    logCapBytes: description.logCapBytes,
    umask: description.umask,
  };
}

function paramsOf({ params }: KnownJob, { position }: Grant): readonly string[] {
  const row = params?.at(position);
  return row !== undefined && 'params' in row ? paramVariables(row.params) : [];
}

function filesOf(
  description: KnownJob['description'],
  { position }: Grant,
  index: number,
  host: string,
): Pick<RunRequest, 'outputPath' | 'errorPath' | 'stdin'> {
  const { id, user, owner, outputPath, errorPath, inputPath } = description;
  const name = description.slurm?.name ?? description.name;
  if (outputPath === undefined && errorPath === undefined && inputPath === undefined) return {};
  const facts = { jobId: id, index, rawId: rawIdOf(description, position), name, user: user ?? owner, host };
  return {
    ...(outputPath === undefined ? {} : { outputPath: expandOutputPath(outputPath, facts) }),
    ...(errorPath === undefined ? {} : { errorPath: expandOutputPath(errorPath, facts) }),
    ...(inputPath === undefined ? {} : { stdin: expandOutputPath(inputPath, facts) }),
  };
}
