import { ERRORS, isSpawnError } from '../core/errors.ts';
import type { World } from './world.ts';

/** Says what went wrong, in the words of the error table. @returns the exit code */
export function reportError(error: unknown, world: Pick<World, 'stderr' | 'env'>): number {
  const debug = Boolean(world.env.SPAWN_DEBUG);
  const stack = debug && error instanceof Error && error.stack ? `${error.stack}\n` : '';
  if (isSpawnError(error)) {
    world.stderr.write(`spawn: ${error.message}\n${stack}`);
    return error.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  const hint = debug ? '' : ' (SPAWN_DEBUG=1 shows where)';
  world.stderr.write(`spawn: internal error: ${message.split('\n', 1)[0]}${hint}\n${stack}`);
  return ERRORS.INTERNAL.exit;
}
