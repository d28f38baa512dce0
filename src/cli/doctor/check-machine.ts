import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Settings } from '../../config/settings.ts';
import { shownBytes } from '../output/format.ts';
import { type Check, fail, info, ok, warn } from './check.ts';

const NEEDED_NODE = '22.18';
/** Below it a day of logs of a busy array may not fit. */
const LITTLE_BYTES = 1024 ** 3;
const NO_BYTES = 64 * 1024 ** 2;
/** Each running task takes some descriptors of its worker. */
const FEW_FILES = 4_096;
const FEW_PROCESSES = 1_024;
/** Where locks of SQLite do not hold. */
const NETWORK =
  /^(?:nfs4?|cifs|smb3?|smbfs|ncpfs|9p|afs|ceph|lustre|gpfs|beegfs|glusterfs|fuse\.(?:sshfs|glusterfs|s3fs|ceph.*|rclone))$/;

export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [needed = 0, least = 0] = NEEDED_NODE.split('.').map(Number);
  if (major > needed || (major === needed && minor >= least)) return ok('Node', version);
  return fail('Node', version, `install ${NEEDED_NODE} or newer`);
}

export function checkDirectories(settings: Settings, uid: number): Check[] {
  return [
    ...checkDataDirectory(settings.dataDir, uid),
    checkPrivate('socket directory', settings.runtimeDir, uid, 'SPAWN_RUNTIME_DIR'),
  ];
}

function checkDataDirectory(path: string, uid: number): Check[] {
  const there = nearest(path);
  const stats = statfsSync(there);
  const free = stats.bavail * stats.bsize;
  const { kind, options } = mountOf(there);
  const space = `${shownBytes(free)} free`;
  const elsewhere = 'set SPAWN_DATA_DIR to another disk';
  const advice = `free some, see spawn prune, or ${elsewhere}`;
  return [
    checkPrivate('data directory', path, uid, 'SPAWN_DATA_DIR'),
    kind !== undefined && NETWORK.test(kind)
      ? fail('disk', `${kind}, a network file system`, 'set SPAWN_DATA_DIR to a local directory')
      : options.includes('noexec')
        ? warn('disk', `${kind}, where no program may be run (noexec): instances cannot start`, elsewhere)
        : ok('disk', kind ?? 'local'),
    free < NO_BYTES
      ? fail('space', space, advice)
      : free < LITTLE_BYTES
        ? warn('space', space, advice)
        : ok('space', space),
  ];
}

function checkPrivate(name: string, path: string, uid: number, variable: string): Check {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    const parent = nearest(path);
    return mayWrite(parent)
      ? ok(name, `${path} (made when it is needed)`)
      : fail(
          name,
          `${path} is not there, and ${parent} may not be written`,
          `set ${variable} to a directory of your own`,
        );
  }
  if (!stat.isDirectory()) return fail(name, `${path} is no directory`, `set ${variable} to a directory`);
  if (stat.uid !== uid)
    return fail(name, `${path} belongs to user ${stat.uid}`, `set ${variable} to a directory of your own`);
  if (!mayWrite(path)) return fail(name, `${path} may not be written`, `chmod u+rwx ${path}`);
  if ((stat.mode & 0o077) !== 0) {
    const mode = (stat.mode & 0o777).toString(8).padStart(3, '0');
    return fail(name, `${path} is open to others (mode ${mode})`, `chmod 700 ${path}`);
  }
  return ok(name, path);
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path itself or the closest folder above it that is there. */
function nearest(path: string): string {
  let at = path;
  while (!existsSync(at)) at = dirname(at);
  return at;
}

/** The file system of a path, as the kernel calls it, and its options; undefined and none where it does not say. */
function mountOf(path: string): { readonly kind: string | undefined; readonly options: readonly string[] } {
  const mounts = read('/proc/self/mounts')
    .split('\n')
    .map((line) => line.split(' '));
  const inside = (mount: string): boolean => path === mount || path.startsWith(mount === '/' ? '/' : `${mount}/`);
  const holding = mounts.filter(([, mount]) => mount !== undefined && inside(mount.replaceAll('\\040', ' ')));
  // Of two at one place the later one hides the earlier.
  const mount = holding.reduce<readonly string[] | undefined>(
    (best, next) => (best === undefined || next[1]!.length >= best[1]!.length ? next : best),
    undefined,
  );
  return { kind: mount?.[2], options: mount?.[3]?.split(',') ?? [] };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** What the user may have at once. */
export function checkLimits(): Check[] {
  const limits = read('/proc/self/limits');
  const of = (name: string): number | undefined => {
    const [, soft] = new RegExp(`^${name} +(\\S+)`, 'm').exec(limits) ?? [];
    return soft === undefined ? undefined : soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  };
  const check = (name: string, limit: number | undefined, few: number, flag: string): Check => {
    if (limit === undefined) return info(name, 'not known here');
    const found = limit === Number.POSITIVE_INFINITY ? 'no limit' : `at most ${limit}`;
    return limit < few ? warn(name, found, `ulimit ${flag} ${few}, for many tasks at once`) : ok(name, found);
  };
  return [
    check('open files', of('Max open files'), FEW_FILES, '-n'),
    check('processes', of('Max processes'), FEW_PROCESSES, '-u'),
  ];
}

/** What a later release can keep tasks apart with; nothing needs it today. */
export function lookAtKernel(): Check[] {
  const namespaces = Number(read('/proc/sys/user/max_user_namespaces') || 0);
  const allowed = read('/proc/sys/kernel/unprivileged_userns_clone').trim() !== '0';
  const controllers = read('/sys/fs/cgroup/cgroup.controllers').trim();
  return [
    info('user namespaces', namespaces > 0 && allowed ? 'allowed' : 'not allowed'),
    info('control groups', controllers === '' ? 'no version 2 here' : `version 2 with ${controllers}`),
  ];
}
