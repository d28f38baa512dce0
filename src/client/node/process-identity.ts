import { readFileSync } from 'node:fs';

/**
 * One process, told apart from every other that had or will have its number: numbers are given again after a while,
 * and all of them after a boot.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to its start (proc_pid_stat(5), field 22); 0 where the system does not tell. */
  readonly startTicks: number;
  /** Of the boot in which it was started; '' where the system does not tell. */
  readonly bootId: string;
}

/** States in which a process runs no more code: its number is still taken, but it holds nothing. */
const DEAD_STATES: ReadonlySet<string> = new Set(['Z', 'X', 'x']);

let knownBootId: string | undefined;

/** Changes with every boot of the kernel; '' where the system does not tell. */
export function bootId(): string {
  knownBootId ??= readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  return knownBootId;
}

/** The identity of a process that lives now; undefined when there is none of that number, or only its remains. */
export function identify(pid: number): ProcessIdentity | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  const stat = readText(`/proc/${pid}/stat`);
  if (stat !== undefined) {
    const { state, startTicks } = parseStat(stat);
    return DEAD_STATES.has(state) ? undefined : { pid, startTicks, bootId: bootId() };
  }
  if (process.platform === 'linux') return undefined;
  return answersSignal(pid) ? { pid, startTicks: 0, bootId: bootId() } : undefined;
}

/** Whether exactly this process still lives. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.bootId !== bootId()) return false;
  const now = identify(identity.pid);
  return now !== undefined && now.startTicks === identity.startTicks;
}

/** Signals exactly this process; false when it is gone. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** How long the main thread of a process has waited for a processor since it began, ms; undefined where the system does not tell. */
export function queuedMs(pid: number): number | undefined {
  const [, waitedNs] = readText(`/proc/${pid}/schedstat`)?.split(' ') ?? [];
  return waitedNs === undefined ? undefined : Number(waitedNs) / 1e6;
}

/** What the main thread of a process started and what still lives; empty where the system does not tell. */
export function childrenOf(pid: number): ProcessIdentity[] {
  const numbers = readText(`/proc/${pid}/task/${pid}/children`)?.trim().split(' ') ?? [];
  return numbers.flatMap((number) => identify(Number(number)) ?? []);
}

/** The state letter and start of a line of `/proc/PID/stat`, whose second field may hold blanks and parentheses. */
export function parseStat(stat: string): { state: string; startTicks: number } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTicks: Number(fields[19] ?? 0) };
}

function answersSignal(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
