import { setImmediate } from 'node:timers/promises';
import type { Sink } from '../world.ts';

/** Characters written at once. */
const MOST = 65_536;

/** Writes pieces as they are made; in between it can be told that nobody reads any more. */
export async function writePieces(pieces: Iterable<string>, stdout: Sink): Promise<void> {
  let waiting = '';
  for (const piece of pieces) {
    waiting += piece;
    if (waiting.length < MOST) continue;
    stdout.write(waiting);
    waiting = '';
    await setImmediate();
  }
  if (waiting !== '') stdout.write(waiting);
}
