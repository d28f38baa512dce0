import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The environment variable that marks every daemon of a rig; slurmstepd inherits it from slurmd. */
export const MARK = 'SLURM_RIG_MARK';

function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** The mark in a process's environment; undefined once it has ended. */
export function markOf(pid: number): string | undefined {
  return environmentOf(pid)
    .find((line) => line.startsWith(`${MARK}=`))
    ?.slice(MARK.length + 1);
}

/** Processes that jobs of the rig of `dir` left behind. */
export function leftOfJobs(dir: string): number[] {
  const conf = `SLURM_CONF=${join(dir, 'slurm.conf')}`;
  return allPids().filter((pid) => {
    const environment = environmentOf(pid);
    return environment.includes(conf) && environment.some((line) => line.startsWith('SLURM_JOB_ID='));
  });
}

/** Command line without the program's folder. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/^.*\//, '');
  } catch {
    return '';
  }
}

const allPids = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
/** Living processes with this mark. */
export const markedProcesses = (mark: string) => allPids().filter((pid) => markOf(pid) === mark);

/** Children of `root`, theirs, and so on. */
export function descendants(root: number): number[] {
  const parents = new Map<number, number>();
  for (const pid of allPids()) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      parents.set(pid, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It ended meanwhile.
    }
  }
  const found: number[] = [];
  for (let level = [root]; level.length > 0; ) {
    level = [...parents].filter(([, parent]) => level.includes(parent)).map(([pid]) => pid);
    found.push(...level);
  }
  return found;
}

/** Sends a signal, if the process still lives. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself.
  }
}
