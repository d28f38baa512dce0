import { readFileSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { SpawnError } from '../../core/errors.ts';

const FUSE = 0x65735546;

/**
 * File systems whose files other hosts may change, by the magic number of statfs(2) (linux/magic.h and the drivers'
 * sources). SQLite's write-ahead log shares memory between processes, which no two hosts can, and their locks are
 * known to fail (sqlite.org/wal.html, sqlite.org/howtocorrupt.html).
 */
const NETWORK: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x564c, 'NCP'],
  [0x01021997, '9p'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x19830326, 'BeeGFS'],
  [0x20030528, 'OrangeFS'],
  [0xaad7aaea, 'PanFS'],
  [0x786f4256, 'VirtualBox shared folder'],
  [0x7c7c6673, 'Parallels shared folder'],
  [0xbacbacbc, 'VMware shared folder'],
]);

/** FUSE says only that a program is behind it: these are known to keep their files on this machine. */
const LOCAL_FUSE: ReadonlySet<string> = new Set([
  'fuseblk',
  'fuse.gocryptfs',
  'fuse.encfs',
  'fuse.cryfs',
  'fuse.securefs',
  'fuse.ntfs-3g',
  'fuse.fuse-overlayfs',
]);

export interface FileSystem {
  /** `f_type` of statfs(2), sign-extended or not. */
  readonly magic: number;
  /** The type's name in /proc/self/mountinfo, for example `fuse.sshfs`. */
  readonly type?: string | undefined;
}

/** The name of a file system that a store must not be on; undefined for a local one. */
export function nameNetworkFileSystem({ magic, type }: FileSystem): string | undefined {
  const unsigned = magic >>> 0;
  if (unsigned === FUSE) return type !== undefined && LOCAL_FUSE.has(type) ? undefined : (type ?? 'FUSE');
  return NETWORK.get(unsigned);
}

/** @param path an existing file or folder */
export async function readFileSystem(path: string): Promise<FileSystem> {
  // The numbers above are Linux's own; another system numbers its file systems in another way.
  if (process.platform !== 'linux') return { magic: 0 };
  const { type: magic } = await statfs(path);
  if (magic >>> 0 !== FUSE) return { magic };
  const { dev } = await stat(path);
  return { magic, type: mountType(readFileSync('/proc/self/mountinfo', 'utf8'), dev) };
}

/** The type of the mount of device number `dev` (proc_pid_mountinfo(5), fields 3 and 9). */
export function mountType(mountinfo: string, dev: number): string | undefined {
  const major = (dev >>> 8) & 0xfff;
  const minor = (dev & 0xff) | ((dev >>> 12) & 0xfff00);
  const line = mountinfo.split('\n').find((text) => text.split(' ')[2] === `${major}:${minor}`);
  return line?.split(' - ')[1]?.split(' ')[0];
}

/**
 * @param folder exists
 * @param read default: what the system says
 * @throws STORE_NETWORK_FS
 */
export async function refuseNetworkFileSystem(
  folder: string,
  read: (path: string) => Promise<FileSystem> = readFileSystem,
): Promise<void> {
  const found = nameNetworkFileSystem(await read(folder));
  if (found !== undefined) throw new SpawnError('STORE_NETWORK_FS', { path: folder, found });
}
