import { readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { IN_RUN, IN_SANDBOX, peersDirectory } from './sandbox-paths.ts';
import { discard } from './sandbox-trash.ts';

/** What names end in that a member has in the directory of its array: its mark, and its exec socket. */
export const MEMBER = '.member';
export const EXEC = '.exec';

const GROUP_WITHIN_MS = 2_000;
const LOOK_MS = 5;

/** Removes what the init of a sandbox removes when it ends by itself, and what it leaves when it is killed. */
export async function removeGroup(directory: string): Promise<void> {
  const path = readText(join(directory, IN_SANDBOX.run, IN_RUN.cgroup))?.trim();
  if (path === undefined || !basename(path).startsWith('spawn-instance-')) return;
  for (const until = Date.now() + GROUP_WITHIN_MS; !removeGroups(path) && Date.now() < until; ) await wait(LOOK_MS);
}

/** With those that the forker made in it. False while something lives there. */
function removeGroups(path: string): boolean {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) removeGroups(join(path, entry.name));
    }
    rmdirSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/** Marks an instance as a member of its array: the directory of their sockets is there as long as one is. */
export function memberFile(id: string): string {
  return id + MEMBER;
}

/** Takes away the directory of a sandbox of which nothing runs, and its place among the members of its array. */
export function removeSandbox(directory: string): void {
  const arrayId = arrayOf(directory);
  if (arrayId !== undefined) leaveArray(directory, arrayId);
  discard(directory);
}

function arrayOf(directory: string): string | undefined {
  const text = readText(join(directory, IN_SANDBOX.order));
  try {
    const { arrayId } = JSON.parse(text ?? '') as { arrayId?: unknown };
    return typeof arrayId === 'string' && /^[^./][^/]*$/.test(arrayId) ? arrayId : undefined;
  } catch {
    return undefined;
  }
}

/** It is no member any more; the directory of the array goes with the last one. */
export function leaveArray(directory: string, arrayId: string): void {
  const peers = peersDirectory(directory, arrayId);
  const id = basename(directory);
  rmSync(join(peers, id + EXEC), { force: true });
  rmSync(join(peers, memberFile(id)), { force: true });
  try {
    if (!readdirSync(peers).some((name) => name.endsWith(MEMBER))) rmSync(peers, { recursive: true, force: true });
  } catch {
    // Another member was the last one.
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
