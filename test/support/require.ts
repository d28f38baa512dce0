import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'vitest';

/**
 * `test` where the machine has what the test needs, a skipped test where it has not; in CI (`SPAWN_CI=1`, set by
 * `.ci/run`, which installs everything) a lack is a failure, so that nothing is skipped there unseen.
 *
 * @param reason what is needed, for example `GNU parallel`
 * @param ok whether it is there
 */
export function requireOr(reason: string, ok: boolean) {
  if (!ok && process.env.SPAWN_CI === '1') throw new Error(`CI must have what its tests need: ${reason}`);
  return test.skipIf(!ok);
}

/** Whether a program of this name is in PATH. */
export function hasProgram(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, name)));
}
