import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BESIDE } from './sandbox-paths.ts';
import { EXEC, MEMBER } from './sandbox-remains.ts';
import { emptyTrash } from './sandbox-trash.ts';

/** Whoever makes a copy of the programs needs no longer. */
const DRAFT_MS = 60_000;

/** Removes what processes have left beside the instances that were killed in the middle of something. To be called when nothing is started yet. */
export function sweepRemains(instances: string): void {
  for (const arrayId of namesIn(join(instances, BESIDE.arrays))) sweepArray(instances, arrayId);
  const programs = join(instances, BESIDE.programs);
  for (const name of namesIn(programs)) {
    const path = join(programs, name);
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Number.POSITIVE_INFINITY };
    if (name.startsWith('.new-') && Date.now() - mtimeMs > DRAFT_MS) rmSync(path, { recursive: true, force: true });
  }
  emptyTrash(instances);
}

/** Members without a directory are no members. */
function sweepArray(instances: string, arrayId: string): void {
  const directory = join(instances, BESIDE.arrays, arrayId);
  let left = 0;
  for (const name of namesIn(directory)) {
    if (!name.endsWith(MEMBER)) continue;
    const id = name.slice(0, -MEMBER.length);
    if (existsSync(join(instances, id))) left += 1;
    else for (const end of [EXEC, MEMBER]) rmSync(join(directory, id + end), { force: true });
  }
  if (left === 0) rmSync(directory, { recursive: true, force: true });
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}
