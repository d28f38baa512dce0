// What there is of instances on this machine, by looking at the machine itself and not at what the program says.
import { type Dirent, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Everything that is to be the same after the end of instances as before their start. */
export interface Traces {
  readonly processes: number;
  readonly mounts: number;
  readonly files: number;
  readonly directories: number;
  readonly cgroups: number;
  readonly serverDescriptors: number;
  readonly agentDescriptors: number;
}

/** Processes that serve instances, by what they are. */
export interface Servers {
  readonly server: number;
  readonly agent: number;
}

export function tracesOf(dataDir: string, { server, agent }: Servers): Traces {
  const { files, directories } = countEntries(join(dataDir, 'instances'));
  return {
    processes: processesOf(dataDir).length,
    mounts: lines('/proc/self/mountinfo').filter((line) => line.includes(dataDir)).length,
    files,
    directories,
    cgroups: groupsOf().length,
    serverDescriptors: readdirSync(`/proc/${server}/fd`).length,
    agentDescriptors: readdirSync(`/proc/${agent}/fd`).length,
  };
}

/** Process ids of all that names the data directory in its arguments, or has a directory of an instance among its mounts. */
export function processesOf(dataDir: string): number[] {
  const mounted = `${dataDir.replace(/^\/tmp/, '')}/instances/i-`;
  return pids().filter((pid) => {
    if (pid === process.pid) return false;
    return read(`/proc/${pid}/cmdline`).includes(dataDir) || read(`/proc/${pid}/mountinfo`).includes(mounted);
  });
}

/** The agent of the instances; undefined before the first one. */
export function agentOf(dataDir: string): number | undefined {
  return pids().find((pid) => {
    const args = read(`/proc/${pid}/cmdline`).split('\0');
    return args.includes('instances') && args.includes(dataDir);
  });
}

/** The first process of each instance, and what came of it. */
export function insideOf(machines: string): number[] {
  const children = new Map<number, number[]>();
  for (const pid of pids()) {
    const parent = Number(read(`/proc/${pid}/stat`).split(') ')[1]?.split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = namesIn(machines)
    .map((id) => Number(read(join(machines, id, 'run/init')).split('\t')[0]))
    .filter((pid) => pid > 0);
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/** Bytes: what they have in memory, pages that several have divided among them. */
export function proportionalBytes(processes: readonly number[]): number {
  return processes.reduce((sum, pid) => sum + bytesOf(pid, /^Pss: +(\d+) kB$/m), 0);
}

function bytesOf(pid: number, what: RegExp): number {
  return Number(what.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024;
}

/** Milliseconds of processor time that they have had. */
export function cpuMs(processes: readonly number[]): number {
  return processes.reduce((sum, pid) => {
    const threads = existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [];
    return sum + threads.reduce((all, thread) => all + nanoseconds(`/proc/${pid}/task/${thread}/schedstat`), 0) / 1e6;
  }, 0);
}

function nanoseconds(path: string): number {
  return Number(read(path).split(' ')[0] || 0);
}

/** Names of the directories of instances. */
export function namesIn(machines: string): string[] {
  return existsSync(machines) ? readdirSync(machines).filter((name) => name.startsWith('i-')) : [];
}

/** What has ended is off the disk, too. */
export function isRemoved(machines: string): boolean {
  return namesIn(machines).length === 0 && entriesOf(join(machines, '.gone')).length === 0;
}

/** How many entries a JSON array in a file has; 0 while it is not there. A file that many names lead to is read once. */
export function lengthOf(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 0;
  const key = `${found.ino} ${found.mtimeMs} ${found.size}`;
  const known = lengths.get(key) ?? (JSON.parse(readFileSync(path, 'utf8')) as unknown[]).length;
  lengths.set(key, known);
  return known;
}
const lengths = new Map<string, number>();

/** Some go while they are counted. */
function countEntries(directory: string): { files: number; directories: number } {
  let [files, directories] = [0, 0];
  for (const entry of entriesOf(directory)) {
    if (!entry.isDirectory()) {
      files += 1;
      continue;
    }
    const below = countEntries(join(directory, entry.name));
    files += below.files;
    directories += 1 + below.directories;
  }
  return { files, directories };
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Groups of instances, of whichever kind the kernel has, beside or below the one of this process. */
function groupsOf(): string[] {
  const roots = lines('/proc/self/cgroup').flatMap((line) => {
    const [, kinds, path = '/'] = line.split(':');
    const mount = kinds === '' ? ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'] : [`/sys/fs/cgroup/${kinds}`];
    return mount.map((each) => join(each, path)).flatMap((each) => [each, dirname(each)]);
  });
  return [...new Set(roots)].flatMap((root) => {
    return existsSync(root) ? readdirSync(root).filter((name) => name.startsWith('spawn-instance-')) : [];
  });
}

function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function lines(path: string): string[] {
  return read(path).split('\n').filter(Boolean);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
