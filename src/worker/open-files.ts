import { readFileSync } from 'node:fs';
import type { JobForWorker } from '../api/session.ts';

/** What the forker has open besides what its tasks need, generously. */
const RESERVED = 128;
/** To which root raises the limit; native/forker/main.c does it. */
const OF_ROOT = 1_048_576;

/** How many files the forker may have open for its tasks; without limits of this kind Infinity. */
export function openFileLimit(limits: string, isRoot: boolean): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1];
  const most = hard === undefined || hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
  return Math.max(2, (isRoot ? Math.max(most, OF_ROOT) : most) - RESERVED);
}

/** The same of this process, whose limits its forker has. */
export function ownOpenFileLimit(): number {
  try {
    return openFileLimit(readFileSync('/proc/self/limits', 'utf8'), process.getuid?.() === 0);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Files that are open for a task while it runs: a pipe for each stream, and its output files. */
export function openFilesOf({ outputPath, errorPath }: JobForWorker): number {
  return 2 + (outputPath === undefined ? 0 : 1) + (errorPath === undefined || errorPath === outputPath ? 0 : 1);
}
