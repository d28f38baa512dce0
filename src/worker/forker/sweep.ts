import { readdirSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** A process that forks while it is looked for may escape one round; more than this and it is a fork bomb. */
const MOST_ROUNDS = 50;
/** Between two looks: a killed process is still listed until it is gone. */
const ROUND_MS = 5;

/** Numbered folders of /proc; empty where there is no /proc. */
function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** The environment a process was started with; null when it is gone or another user's, empty when it is a zombie. */
function environmentOf(pid: number): Buffer | null {
  try {
    // Root can read everyone's, and must still leave them alone.
    if (statSync(`/proc/${pid}`).uid !== process.getuid?.()) return null;
    return readFileSync(`/proc/${pid}/environ`);
  } catch {
    return null;
  }
}

function carries(environment: Buffer, entry: Buffer): boolean {
  for (let at = environment.indexOf(entry); at !== -1; at = environment.indexOf(entry, at + 1)) {
    const end = at + entry.length;
    if ((at === 0 || environment[at - 1] === 0) && (end === environment.length || environment[end] === 0)) return true;
  }
  return false;
}

/** Processes of this user whose environment at their start had this `NAME=value`. Linux only; elsewhere none. */
export function findMarked(entry: string): number[] {
  const bytes = Buffer.from(entry);
  return processIds().filter((pid) => {
    if (pid === process.pid) return false;
    const environment = environmentOf(pid);
    return environment !== null && carries(environment, bytes);
  });
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** Sends a signal to every process with this entry; their number. */
export function signalMarked(entry: string, signal: NodeJS.Signals): number {
  return findMarked(entry).filter((pid) => send(pid, signal)).length;
}

/**
 * Kills what tasks of a dead forker have left: every process of this user with `SPAWN_SESSION=<session>` in its
 * environment. Looks again until none is found, because a process may fork while it is looked for.
 * @returns how many different processes were killed
 */
export async function killLeftovers(session: string): Promise<number> {
  const killed = new Set<number>();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const found = findMarked(`SPAWN_SESSION=${session}`).filter((pid) => send(pid, 'SIGKILL'));
    for (const pid of found) killed.add(pid);
    if (found.length === 0) break;
    await pause(ROUND_MS);
  }
  return killed.size;
}
