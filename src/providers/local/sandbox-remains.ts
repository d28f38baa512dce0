import { chmodSync, lstatSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { IN_RUN, IN_SANDBOX, peersDirectory } from './sandbox-paths.ts';

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
  return `${id}.member`;
}

function socketFile(id: string): string {
  return `${id}.exec`;
}

/** Removes the directory of a sandbox of which nothing runs, and its place among the members of its array. */
export function removeSandbox(directory: string): void {
  const arrayId = arrayOf(directory);
  if (arrayId !== undefined) leaveArray(directory, arrayId);
  removeTree(directory);
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

function leaveArray(directory: string, arrayId: string): void {
  const peers = peersDirectory(directory, arrayId);
  const id = basename(directory);
  rmSync(join(peers, socketFile(id)), { force: true });
  rmSync(join(peers, memberFile(id)), { force: true });
  try {
    if (!readdirSync(peers).some((name) => name.endsWith('.member'))) removeTree(peers);
  } catch {
    // Another member was the last one.
  }
}

/** As rm -rf, also where a directory may not be read: overlayfs makes such, and so can users. */
function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if (!['EACCES', 'EPERM', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    openUp(path);
    rmSync(path, { recursive: true, force: true });
  }
}

function openUp(path: string): void {
  if (!lstatSync(path).isDirectory()) return;
  chmodSync(path, 0o700);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) openUp(join(path, entry.name));
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
