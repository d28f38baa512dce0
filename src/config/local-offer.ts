import { MAX_NAMED_RESOURCES } from '../api/limits.ts';
import { SpawnError } from '../core/errors.ts';
import { MAX_GPUS, parseGpuDeclaration } from '../core/gpu-list.ts';
import { readNamedResources } from '../core/named-resources.ts';

type Env = Readonly<Record<string, string | undefined>>;

const MAX_CPUS = 4_096;

/**
 * What the workers that a coordinator starts on its machine shall offer, as flags of spored, from `SPAWN_LOCAL_CPUS`, `SPAWN_LOCAL_GPUS`,
 * `SPAWN_LOCAL_RESOURCES` and `SPAWN_BIND_CPUS`. What is not set they find out by themselves. Read when the coordinator starts, so that a wrong one
 * is said and not found in the log of a worker that does not start.
 *
 * @throws BAD_REQUEST
 */
export function readLocalOffer(env: Env): string[] {
  const cpus = checked(env, 'SPAWN_LOCAL_CPUS', `a number above 0 and at most ${MAX_CPUS}`, (text) => {
    return /^\d+(?:\.\d+)?$/.test(text) && Number(text) > 0 && Number(text) <= MAX_CPUS;
  });
  const devices = `a number of GPUs up to ${MAX_GPUS}, or which (0,1 or GPU-8932f937-…), each once`;
  const gpus = checked(env, 'SPAWN_LOCAL_GPUS', devices, (text) => parseGpuDeclaration(text) !== undefined);
  const resources = env.SPAWN_LOCAL_RESOURCES;
  if (resources) readNamedResources([resources], 'SPAWN_LOCAL_RESOURCES', MAX_NAMED_RESOURCES);
  const binding = checked(env, 'SPAWN_BIND_CPUS', '0 or 1', (text) => /^[01]$/.test(text));
  return [
    ...(cpus ? ['--cpus', cpus] : []),
    ...(gpus ? ['--gpus', gpus] : []),
    ...(resources ? ['--resources', resources] : []),
    ...(binding === '0' ? ['--no-cpu-binding'] : []),
  ];
}

/** An empty variable counts as not set. */
function checked(env: Env, where: string, expected: string, isRight: (text: string) => boolean): string | undefined {
  const text = env[where];
  if (text && !isRight(text)) throw new SpawnError('BAD_REQUEST', { where, expected, found: text });
  return text;
}
