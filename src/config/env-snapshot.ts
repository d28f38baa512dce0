import { resolve } from 'node:path';

/** Where spawn's own things are: a task that calls spawn must reach the same coordinator as the person who submitted it. */
const PATHS = new Set(['SPAWN_DATA_DIR', 'SPAWN_RUNTIME_DIR']);
const SETTINGS = new Set([...PATHS, 'SPAWN_SERVER']);

/** Set by spawn or Slurm for each task; those of an enclosing task would tell this one's tasks that they are it. */
const OF_A_TASK = /^(?:SPAWN|SLURM|JOB_ARRAY|TASK_ARRAY)_/;

/**
 * The environment that the tasks of a job begin with: all of the submitter's, but what describes a task around it and `_`,
 * the path of the program that a shell ran last.
 *
 * @param cwd what relative settings are relative to; tasks may run in another directory
 * @param isKept of what is left out, this goes with it
 * @returns `KEY=VALUE` entries, each closed by NUL, as in environ(7); sorted, so that the same environment is stored once
 */
export function envSnapshot(
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
  isKept: (name: string) => boolean = () => false,
): Uint8Array {
  const entries: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || name === '_') continue;
    if (OF_A_TASK.test(name) && !SETTINGS.has(name) && !isKept(name)) continue;
    entries.push(`${name}=${PATHS.has(name) && value !== '' ? resolve(cwd, value) : value}\0`);
  }
  return new TextEncoder().encode(entries.sort().join(''));
}
