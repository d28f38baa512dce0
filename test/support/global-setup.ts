import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Whole-system tests run the built program, so it is built once before the first of them. */
export function setup(): void {
  const build = fileURLToPath(new URL('../../scripts/build.mjs', import.meta.url));
  execFileSync(process.execPath, [build], { stdio: ['ignore', 'inherit', 'inherit'] });
}
