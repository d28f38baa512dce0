import { ERRORS } from '../core/error-table.ts';
import { isSpawnError, type SpawnError } from '../core/errors.ts';
import type { World } from './world.ts';

const OLDER =
  'spawn: the coordinator is of an older release than this command. spawn server stop ends it when its tasks may be stopped; the next command starts the new one\n';

/** It does not know a route or a field of a request that this release makes; what people type is checked before it is sent. */
function isOfOlderServer({ code, details }: SpawnError): boolean {
  if (code === 'ROUTE_NOT_FOUND') return true;
  const { where, expected } = details as Readonly<Record<string, unknown>>;
  const isField = code === 'BAD_REQUEST' && expected === 'no field of this name';
  return isField && typeof where === 'string' && /^(?:body|query)\./.test(where);
}

/** Says what went wrong, in the words of the error table. @returns the exit code */
export function reportError(error: unknown, world: Pick<World, 'stderr' | 'env'>): number {
  const debug = Boolean(world.env.SPAWN_DEBUG);
  const stack = debug && error instanceof Error && error.stack ? `${error.stack}\n` : '';
  if (isSpawnError(error)) {
    world.stderr.write(`spawn: ${error.message}\n${isOfOlderServer(error) ? OLDER : ''}${stack}`);
    return error.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  const hint = debug ? '' : ' (SPAWN_DEBUG=1 shows where)';
  world.stderr.write(`spawn: internal error: ${message.split('\n', 1)[0]}${hint}\n${stack}`);
  return ERRORS.INTERNAL.exit;
}
