import { readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { envSnapshot } from '../../config/env-snapshot.ts';
import { readSettings } from '../../config/settings.ts';
import { exportFileVariables } from '../../config/slurm/export.ts';
import { refuseLine } from '../../config/slurm/refusal.ts';
import type { SbatchValues } from '../../config/slurm/sbatch-values.ts';
import { isOwnVariable } from '../own-variables.ts';
import type { World } from '../world.ts';

/** What the tasks of a job get for an environment. */
export interface BatchEnvironment {
  /** Of the submitter's; undefined: that of a login at the worker. */
  readonly snapshot: Uint8Array | undefined;
  /** Over it. */
  readonly env: Readonly<Record<string, string>>;
}

type Env = World['env'];

/** Slurm's variables that say how another job or step was started; the rest of `SLURM_*` is the person's own, as SLURM_TIME_FORMAT. */
const OF_ANOTHER =
  /^SLURM_(?:STEP|SRUN|LAUNCH|TASK|CPU_BIND|MEM_BIND|EXPORT_ENV$|GET_USER_ENV$|UMASK$|DISTRIBUTION$|GPUS|CPUS_PER_GPU$)/;

function isOfThePerson(name: string): boolean {
  return name.startsWith('SLURM_') && !isOwnVariable(name) && !OF_ANOTHER.test(name);
}

/**
 * The environment that `--export` and `--export-file` ask for.
 * @throws SpawnError with Slurm's words when the file cannot be read
 */
export function batchEnvironment(
  values: Pick<SbatchValues, 'exported' | 'exportFile' | AskedGpus>,
  { env, cwd }: Pick<World, 'env' | 'cwd'>,
): BatchEnvironment {
  const { exported = { base: 'all', variables: {} }, exportFile } = values;
  const { shown } = exported;
  const said = {
    ...gpuVariables(values),
    ...(shown === undefined ? {} : { SLURM_EXPORT_ENV: shown, SLURM_GET_USER_ENV: '1' }),
  };
  if (exportFile !== undefined) {
    const variables = exportFileVariables(readExportFile(exportFile, cwd));
    return { snapshot: undefined, env: { ...wayBack(env, cwd), ...said, ...variables } };
  }
  if (exported.base === 'none') {
    return { snapshot: undefined, env: { ...wayBack(env, cwd), ...said, ...exported.variables } };
  }
  return { snapshot: envSnapshot(env, cwd, isOfThePerson), env: { ...said, ...exported.variables } };
}

type AskedGpus = 'gpus' | 'gpusPerNode' | 'gpusPerTask' | 'cpusPerGpu';

/** What was asked for, which scripts hand on: `torchrun --nproc-per-node=$SLURM_GPUS_PER_NODE`. */
function gpuVariables({ gpus, gpusPerNode, gpusPerTask, cpusPerGpu }: Pick<SbatchValues, AskedGpus>) {
  const asked = { SLURM_GPUS: gpus, SLURM_GPUS_PER_NODE: gpusPerNode, SLURM_GPUS_PER_TASK: gpusPerTask };
  const texts = Object.entries(asked).flatMap(([name, given]) =>
    given === undefined
      ? []
      : [[name, given.gpuType === undefined ? `${given.gpus}` : `${given.gpuType}:${given.gpus}`]],
  );
  return { ...Object.fromEntries(texts), ...(cpusPerGpu === undefined ? {} : { SLURM_CPUS_PER_GPU: `${cpusPerGpu}` }) };
}

/** A number from 3 on is that of an open file. */
function readExportFile(file: string, cwd: string): Uint8Array {
  try {
    return readFileSync(/^\d{1,9}$/.test(file) && Number(file) > 2 ? Number(file) : resolve(cwd, file));
  } catch {
    throw refuseLine(`Could not open user environment file ${file}`, 1);
  }
}

/**
 * Without the submitter's environment a task would not find the coordinator whose task it is, nor Slurm's commands where they are links to this
 * program: `scancel $SLURM_JOB_ID` in a script must work as on a cluster, where they are everywhere.
 */
function wayBack(env: Env, cwd: string): Record<string, string> {
  const shims = env.SPAWN_SHIMS ? { SPAWN_SHIMS: resolve(cwd, env.SPAWN_SHIMS) } : {};
  if (env.SPAWN_SERVER) return { ...shims, SPAWN_SERVER: env.SPAWN_SERVER };
  const { XDG_RUNTIME_DIR: xdg } = env;
  const runtime = env.SPAWN_RUNTIME_DIR || (xdg && isAbsolute(xdg) ? join(xdg, 'spawn') : undefined);
  return {
    ...shims,
    SPAWN_DATA_DIR: resolve(cwd, readSettings(env, process.getuid?.() ?? 0).dataDir),
    ...(runtime === undefined ? {} : { SPAWN_RUNTIME_DIR: resolve(cwd, runtime) }),
  };
}
