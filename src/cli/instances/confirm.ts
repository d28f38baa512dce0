import { SpawnError } from '../../core/errors.ts';
import type { World } from '../world.ts';

/** Asks before something goes that cannot be had back. @returns whether to go on; when not, it has said that nothing was changed */
export async function confirmed(world: World, verb: string, question: string): Promise<boolean> {
  if (/^y(?:es)?$/i.test((await world.ask(`${question} [y/N] `)).trim())) return true;
  world.stderr.write(`spawn: ${verb}: nothing was changed\n`);
  return false;
}

/** Where nobody can be asked, `-y` must have been given. @throws USAGE */
export function needYes(world: World, verb: string, yes: boolean): void {
  if (yes || world.stdin.isTTY) return;
  const message = `${verb}: expected -y where nobody can be asked (standard input is no terminal), found none`;
  throw new SpawnError('USAGE', { message });
}
