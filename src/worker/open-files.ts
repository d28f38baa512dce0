import { readFileSync } from 'node:fs';
import type { JobForWorker } from '../api/session.ts';

/** What the forker has open besides what its tasks need, generously. */
const RESERVED = 128;
/** How many files the forker may have open for its tasks; Infinity where nothing is said of it. @param limits as in /proc/PID/limits */
export function openFileLimit(limits: string): number {
  const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  return soft === undefined || soft === 'unlimited' ? Number.POSITIVE_INFINITY : Math.max(2, Number(soft) - RESERVED);
}

/** The same of a forker, which has raised its limit as far as it may. */
export function openFileLimitOf(pid: number | undefined): number {
  try {
    return openFileLimit(readFileSync(`/proc/${pid}/limits`, 'utf8'));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Files that are open for a task while it runs: a pipe for each stream, and its output files. */
export function openFilesOf({ outputPath, errorPath }: JobForWorker): number {
  return 2 + (outputPath === undefined ? 0 : 1) + (errorPath === undefined || errorPath === outputPath ? 0 : 1);
}
