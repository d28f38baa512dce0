import { closeSync, existsSync, linkSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, type ProcessIdentity } from '../process-identity.ts';
import { livePath, liveSteps, removeRecord, type StepRecord, writeRecord } from './step-folder.ts';

export interface Claim {
  /** Counts from 0 within the attempt. */
  readonly step: number;
  /** Its CPUs are free now: no older step has them. */
  readonly isFree: () => boolean;
  /** Says which processes it has. */
  readonly started: (ranks: readonly ProcessIdentity[]) => void;
  readonly release: () => void;
}

/**
 * Takes the next number of a step. Steps get CPUs in the order of their numbers: what an older one has or waits for is not taken from it, so that no lock is
 * needed, and a process that is killed leaves none behind.
 *
 * @param capacity CPUs of each node of the allocation
 */
export function claimStep(folder: string, cpus: StepRecord['cpus'], capacity: readonly number[]): Claim {
  const owner = identify(process.pid) ?? { pid: process.pid, startTicks: 0, bootId: '' };
  const draft = join(folder, `draft.${process.pid}`);
  writeFileSync(draft, JSON.stringify({ owner, cpus, ranks: [] } satisfies StepRecord), { mode: 0o600 });
  try {
    for (let step = firstUnused(folder); ; step += 1) {
      // Seen by younger steps before the number is taken: they never believe that CPUs are free which this one will take.
      if (!tryTo(() => linkSync(draft, livePath(folder, step)))) continue;
      if (tryTo(() => closeSync(openSync(join(folder, 'numbers', String(step)), 'wx', 0o600)))) {
        return {
          step,
          isFree: () => isFree(folder, step, cpus, capacity),
          started: (ranks) => writeRecord(folder, step, { owner, cpus, ranks }),
          release: () => removeRecord(folder, step),
        };
      }
      removeRecord(folder, step);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 200;

/** Waits until its CPUs are free. @returns false when `signal` came first */
export async function awaitTurn(claim: Claim, signal: AbortSignal): Promise<boolean> {
  for (let pauseMs = FIRST_PAUSE_MS; !claim.isFree(); pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return false;
  }
  return !signal.aborted;
}

/** Numbers are taken one after the other, so the first that is not is found by halving. */
function firstUnused(folder: string): number {
  const isUsed = (step: number) => existsSync(join(folder, 'numbers', String(step)));
  let beyond = 1;
  while (isUsed(beyond - 1)) beyond *= 2;
  let [low, high] = [beyond >> 1, beyond - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isUsed(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isFree(folder: string, step: number, cpus: StepRecord['cpus'], capacity: readonly number[]): boolean {
  const wanted = Object.entries(cpus);
  if (wanted.length === 0) return true;
  const older = [...liveSteps(folder)].filter(([number]) => number < step);
  return wanted.every(([node, amount]) => {
    const taken = older.reduce((sum, [, record]) => sum + (Number(record.cpus[Number(node)]) || 0), 0);
    return taken + amount <= capacity[Number(node)]!;
  });
}

/** False when there is one already. */
function tryTo(make: () => void): boolean {
  try {
    make();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
