import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { IN_RUN, IN_SANDBOX } from './sandbox-paths.ts';

const WITHIN_MS = 5_000;
const LOOK_MS = 5;

/**
 * Kills what a killed init without namespaces has left: all that has the directory of its sockets in its environment. Its init is dead.
 * With namespaces the kernel has killed everything.
 */
export async function killLeft(directory: string): Promise<void> {
  const run = /^plain (.*)$/m.exec(readText(join(directory, IN_SANDBOX.config)))?.[1];
  if (run === undefined || existsSync(join(directory, IN_SANDBOX.run, IN_RUN.clean))) return;
  const mark = `\0SPAWN_RUN_DIR=${run}\0`;
  for (const until = Date.now() + WITHIN_MS; Date.now() < until; await wait(LOOK_MS)) {
    const left = processesWith(mark);
    if (left.length === 0) return;
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
  }
}

function processesWith(mark: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => `\0${readText(`/proc/${name}/environ`)}`.includes(mark))
    .map(Number);
}

/** Nothing where it cannot be read. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
