import { writeSync } from 'node:fs';

/**
 * Tells somebody, on standard error. A line that finds no room on the disk, or nobody who reads it, is lost, and those after it are not:
 * a stream would end the process at the first, or be closed for good.
 */
export function writeLine(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // Whoever cannot be told cannot be told that either.
  }
}
