import { readFileSync } from 'node:fs';
import { isAlive, type ProcessIdentity } from '../process-identity.ts';
import { liveSteps } from './step-folder.ts';

/**
 * Sends a signal to all processes that run of an attempt's steps on this machine, and to none of another attempt, whatever the files say.
 * @returns how many ranks got it
 */
export function signalSteps(folder: string, fence: number, signal: number): number {
  let told = 0;
  for (const { ranks } of liveSteps(folder).values()) {
    for (const rank of ranks) if (signalRank(rank, fence, signal)) told += 1;
  }
  return told;
}

function signalRank(rank: ProcessIdentity, fence: number, signal: number): boolean {
  if (!isAlive(rank) || !isOfAttempt(rank.pid, fence)) return false;
  try {
    process.kill(-rank.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Every process of an attempt has it in the environment that it was started with. */
function isOfAttempt(pid: number, fence: number): boolean {
  if (process.platform !== 'linux') return true;
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`SPAWN_FENCE=${fence}`);
  } catch {
    return false;
  }
}
