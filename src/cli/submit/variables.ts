import { resolve } from 'node:path';
import { MAX_ENV_ENTRIES } from '../../api/limits.ts';
import { readEnvFile } from '../../config/env-file.ts';
import { SpawnError } from '../../core/errors.ts';
import { isOwnVariable } from '../submit-input.ts';
import type { World } from '../world.ts';
import type { Given } from './options.ts';

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
  const count = Object.keys(variables).length;
  if (count > MAX_ENV_ENTRIES) {
    throw new SpawnError('USAGE', {
      message: `${verb}: expected at most ${MAX_ENV_ENTRIES} variables of --env and --env-file, found ${count}`,
    });
  }
  return variables;
}
