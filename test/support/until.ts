import { setTimeout as wait } from 'node:timers/promises';

/**
 * Waits until `look` gives something other than undefined or false, and gives that; fails after `timeoutMs` with what
 * was waited for.
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await wait(10);
  }
}
