import { resolve } from 'node:path';
import { MAX_ENV_ENTRIES } from '../../api/limits.ts';
import { readEnvFile } from '../../config/env-file.ts';
import { SpawnError } from '../../core/errors.ts';
import { isOwnVariable } from '../own-variables.ts';
import type { World } from '../world.ts';
import type { Given } from './options.ts';

const NAME = /^[A-Za-z_]\w*$/;
/** What every instance says of itself, besides what is refused everywhere. */
const OF_INSTANCE: ReadonlySet<string> = new Set(['RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT']);

/** Variables of an instance: its logins read them from a file for shells, and what is its own they cannot change. */
function checkForInstances(names: readonly string[]): void {
  for (const name of names) {
    const bad = (expected: string) => new SpawnError('BAD_REQUEST', { where: '--env', expected, found: name });
    if (!NAME.test(name)) throw bad('a name of letters, digits and "_", no digit first');
    if (OF_INSTANCE.has(name)) throw bad('a variable that spawn does not set in each instance');
  }
}

/** Variables that options set. Files in their order, a later one over an earlier one; `--env` over them all. */
export function variablesOf(
  given: Pick<Given, 'env' | 'env-file'>,
  world: Pick<World, 'cwd' | 'env'>,
  verb = 'submit',
): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const path of given['env-file']) {
    for (const { name, value, place } of readEnvFile(path, resolve(world.cwd, path))) {
      if (isOwnVariable(name)) {
        throw new SpawnError('BAD_REQUEST', {
          where: place,
          expected: 'a variable that spawn does not set for each task',
          found: name,
        });
      }
      variables[name] = value;
    }
  }
  for (const read of given.env) {
    const [name, value] = read(world.env);
    variables[name] = value;
  }
  if (verb === 'launch') checkForInstances(Object.keys(variables));
  const count = Object.keys(variables).length;
  if (count > MAX_ENV_ENTRIES) {
    throw new SpawnError('USAGE', {
      message: `${verb}: expected at most ${MAX_ENV_ENTRIES} variables of --env and --env-file, found ${count}`,
    });
  }
  return variables;
}
