import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * CPUs that the quota of this process's control group allows, or the smallest of those above it; a fraction as it is set. Infinity
 * without one. Knows both versions of control groups; what cannot be read sets no bound.
 *
 * @param root where `proc` and the mounted groups are
 */
export function cgroupCpus(root = '/'): number {
  const read = (path: string): string | undefined => {
    try {
      return readFileSync(join(root, path), 'utf8');
    } catch {
      return undefined;
    }
  };
  const mounts = (read('/proc/self/mountinfo') ?? '').split('\n').flatMap(readMount);
  let cpus = Number.POSITIVE_INFINITY;
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, number, controllers, path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    const isSecond = number === '0' && controllers === '';
    if (!isSecond && !controllers!.split(',').includes('cpu')) continue;
    const mount = mounts.find(({ type, options }) => (isSecond ? type === 'cgroup2' : options.includes('cpu')));
    if (mount === undefined) continue;
    for (const folder of foldersUp(mount, path)) cpus = Math.min(cpus, quota(folder, read));
  }
  return cpus;
}

interface Mount {
  /** Which folder of the file system is mounted there. */
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** proc_pid_mountinfo(5) */
function readMount(line: string): Mount[] {
  const [before, after] = line.split(' - ');
  const [, , , root, point] = before!.split(' ');
  const [type, , options] = (after ?? '').split(' ');
  if (root === undefined || point === undefined || !/^cgroup2?$/.test(type!)) return [];
  return [{ root, point, type: type!, options: type === 'cgroup' ? (options ?? '').split(',') : [] }];
}

/** From the group itself to the top of what is mounted. In a container the path may be that of the host, and only the top is there. */
function foldersUp({ root, point }: Mount, path: string): string[] {
  const below = root !== '/' && path.startsWith(root) ? path.slice(root.length) : path;
  const folders = [point];
  for (let at = join('/', below); at !== '/'; at = dirname(at)) folders.push(join(point, at));
  return folders;
}

function quota(folder: string, read: (path: string) => string | undefined): number {
  const both = read(join(folder, 'cpu.max'));
  const [limit, period] =
    both === undefined
      ? [read(join(folder, 'cpu.cfs_quota_us')), read(join(folder, 'cpu.cfs_period_us'))]
      : both.trim().split(' ');
  const cpus = Number(limit) / Number(period);
  return cpus > 0 ? cpus : Number.POSITIVE_INFINITY;
}
