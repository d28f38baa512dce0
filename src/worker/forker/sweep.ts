import { readdirSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** A process that forks while it is looked for may escape one round; more than this and it is a fork bomb. */
const MOST_ROUNDS = 50;
/** Between two looks: a killed process is still listed until it is gone. */
const ROUND_MS = 5;

export interface Marked {
  /** `NAME=value` strings that must all be in the environment. */
  readonly marks: readonly string[];
  readonly signal: NodeJS.Signals;
  /** Members of this process group are left out: they have had the signal. */
  readonly exceptGroup?: number;
}

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

/** The environment a process was started with, a NUL around every string; null when it is gone, a zombie or another user's. */
function environmentOf(pid: number): string | null {
  try {
    // Root can read everyone's, and must still leave them alone.
    if (statSync(`/proc/${pid}`).uid !== process.getuid?.()) return null;
    const strings = readFileSync(`/proc/${pid}/environ`, 'utf8');
    return strings === '' ? null : `\0${strings}\0`;
  } catch {
    return null;
  }
}

function groupOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // After the command name, which may hold anything: state, parent, group.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
  } catch {
    return null;
  }
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function withEnvironment(visit: (pid: number, environment: string) => void): void {
  for (const pid of processIds()) {
    const environment = pid === process.pid ? null : environmentOf(pid);
    if (environment !== null) visit(pid, environment);
  }
}

/** Processes of this user, but not this one, with the string `NAME=value` in their environment. */
export function findMarked(mark: string): number[] {
  const found: number[] = [];
  withEnvironment((pid, environment) => {
    if (environment.includes(`\0${mark}\0`)) found.push(pid);
  });
  return found;
}

/**
 * Sends each process of this user that carries all marks of an entry in its environment the entry's signal. Linux only;
 * elsewhere nothing is found.
 * @returns the processes that were sent one
 */
export function signalMarked(entries: readonly Marked[]): number[] {
  const sent: number[] = [];
  withEnvironment((pid, environment) => {
    const entry = entries.find(({ marks }) => marks.every((mark) => environment.includes(`\0${mark}\0`)));
    if (entry === undefined || groupOf(pid) === entry.exceptGroup) return;
    if (send(pid, entry.signal)) sent.push(pid);
    // A stopped process would not see the TERM.
    if (entry.signal === 'SIGTERM') send(pid, 'SIGCONT');
  });
  return sent;
}

/**
 * Kills what tasks of a dead forker have left: every process of this user with `SPAWN_SESSION=<session>` in its
 * environment. Looks again until none is found, because a process may fork while it is looked for.
 * @returns how many different processes were killed
 */
export async function killLeftovers(session: string): Promise<number> {
  const killed = new Set<number>();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const found = signalMarked([{ marks: [`SPAWN_SESSION=${session}`], signal: 'SIGKILL' }]);
    if (found.length === 0) break;
    for (const pid of found) killed.add(pid);
    await pause(ROUND_MS);
  }
  return killed.size;
}
