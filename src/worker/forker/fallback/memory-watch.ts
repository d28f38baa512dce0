import { readdirSync, readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 100;
/** Looking may take a twentieth of a processor: counted in our own time, for on a busy machine a look takes long and costs no more. */
const REST_FOR_EACH_MS = 20;
/** A limit below this could not even start a program. */
export const LEAST_MEMORY_BYTES = 1024 * 1024;

/** A task with a limit, as the watch sees it. */
export interface Watched {
  readonly pid: number;
  readonly memoryBytes: number;
  /** Strings that processes outside its session carry in their environment, when it has some. */
  readonly marks: readonly string[];
  readonly onOver: () => void;
}

interface Seen {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  readonly started: string;
}

/** Whether the processes of a task can be found and measured here. */
export function canWatchMemory(): boolean {
  return residentBytes(process.pid) > 0;
}

/**
 * Adds up the memory of each task with a limit, 10 times a second: that of its session, of all below its processes, and of
 * whoever carries its marks. Pages of files are not counted: the system can take them back at any time.
 */
export class MemoryWatch {
  readonly #tasks = new Set<Watched>();
  /** Owner by marks, so that an environment is read once; the start time tells a number that was given again. */
  #marked = new Map<string, Watched | null>();
  #timer: NodeJS.Timeout | undefined;

  add(task: Watched): void {
    this.#tasks.add(task);
    this.#timer ??= setTimeout(() => this.#look(), LOOK_EVERY_MS);
  }

  delete(task: Watched): void {
    if (this.#tasks.delete(task) && this.#tasks.size === 0) this.close();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#marked.clear();
  }

  #look(): void {
    const before = process.cpuUsage();
    const members = this.#members();
    for (const task of [...this.#tasks]) {
      const pids = members.get(task) ?? [];
      // Processes that were forked share what they have not changed, and all of it is counted for each: the dearer figure, which divides
      // it, is asked only before a kill.
      const isOver = (measure: (pid: number) => number) =>
        pids.reduce((sum, pid) => sum + measure(pid), 0) > task.memoryBytes;
      if (isOver(residentBytes) && isOver(shareBytes)) task.onOver();
    }
    if (this.#tasks.size === 0) return;
    const { user, system } = process.cpuUsage(before);
    const rest = Math.max(LOOK_EVERY_MS, ((user + system) / 1000) * REST_FOR_EACH_MS);
    this.#timer = setTimeout(() => this.#look(), rest);
  }

  #members(): Map<Watched, number[]> {
    const seen = new Map(everyProcess().map((one) => [one.pid, one]));
    const bySession = new Map([...this.#tasks].map((task) => [task.pid, task]));
    const members = new Map<Watched, number[]>();
    const marked = new Map<string, Watched | null>();
    for (const one of seen.values()) {
      let owner = bySession.get(one.session);
      for (let at = seen.get(one.parent); owner === undefined && at !== undefined; at = seen.get(at.parent)) {
        owner = bySession.get(at.session);
      }
      if (owner === undefined) {
        const key = `${one.pid} ${one.started}`;
        const known = this.#marked.get(key);
        const found =
          known === undefined || (known !== null && !this.#tasks.has(known)) ? this.#ownerByMarks(one.pid) : known;
        marked.set(key, found);
        owner = found ?? undefined;
      }
      if (owner !== undefined) members.set(owner, [...(members.get(owner) ?? []), one.pid]);
    }
    this.#marked = marked;
    return members;
  }

  #ownerByMarks(pid: number): Watched | null {
    const environment = `\0${read(`/proc/${pid}/environ`)}`;
    if (environment === '\0') return null;
    for (const task of this.#tasks) {
      if (task.marks.length > 0 && task.marks.every((mark) => environment.includes(`\0${mark}\0`))) return task;
    }
    return null;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function everyProcess(): Seen[] {
  const found: Seen[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    // After the command name, which may hold anything: state, parent, group, session; the start time is field 22 of proc(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [parent, session] = [Number(fields[1]), Number(fields[3])];
    // Threads of the kernel are children of 0 or 2 and have no session.
    if (stat !== '' && session !== 0) found.push({ pid: Number(name), parent, session, started: fields[19] ?? '' });
  }
  return found;
}

function sumKb(text: string, pattern: RegExp): number {
  let kilobytes = 0;
  for (const [, number] of text.matchAll(pattern)) kilobytes += Number(number);
  return kilobytes * 1024;
}

function residentBytes(pid: number): number {
  return sumKb(read(`/proc/${pid}/status`), /^Rss(?:Anon|Shmem):\s+(\d+) kB$/gm);
}

/** Each page divided by those that share it; the plain figure where the system does not tell. */
function shareBytes(pid: number): number {
  const rollup = read(`/proc/${pid}/smaps_rollup`);
  return rollup.includes('Pss_Anon:') ? sumKb(rollup, /^Pss_(?:Anon|Shmem):\s+(\d+) kB$/gm) : residentBytes(pid);
}
