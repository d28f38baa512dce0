import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mountType, nameNetworkFileSystem, readFileSystem, refuseNetworkFileSystem } from './network-file-system.ts';
import { openSqliteStore } from './open.ts';

test.each([
  [0x6969, undefined, 'NFS'],
  [0xff534d42, undefined, 'CIFS'],
  // A 32-bit system gives the same number with a sign.
  [0xff534d42 | 0, undefined, 'CIFS'],
  [0xfe534d42, undefined, 'SMB2'],
  [0x01021997, undefined, '9p'],
  [0x5346414f, undefined, 'AFS'],
  [0x0bd00bd0, undefined, 'Lustre'],
  [0x47504653, undefined, 'GPFS'],
  [0x00c36400, undefined, 'Ceph'],
  [0x19830326, undefined, 'BeeGFS'],
  [0x65735546, 'fuse.sshfs', 'fuse.sshfs'],
  [0x65735546, 'fuse.s3fs', 'fuse.s3fs'],
  [0x65735546, undefined, 'FUSE'],
])('magic %i, type %s: refused as %s', (magic, type, name) => {
  expect(nameNetworkFileSystem({ magic, type })).toBe(name);
});

test.each([
  ['ext4', 0xef53, undefined],
  ['xfs', 0x58465342, undefined],
  ['btrfs', 0x9123683e, undefined],
  ['tmpfs', 0x01021994, undefined],
  ['overlayfs', 0x794c7630, undefined],
  ['zfs', 0x2fc12fc1, undefined],
  ['a local program behind FUSE', 0x65735546, 'fuse.gocryptfs'],
  ['ntfs-3g', 0x65735546, 'fuseblk'],
])('%s is accepted', (_name, magic, type) => {
  expect(nameNetworkFileSystem({ magic, type })).toBeUndefined();
});

test('the type of a mount is found by its device', () => {
  const mountinfo = [
    '22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/root rw',
    '40 22 0:300 / /mnt/with\\040blank rw,nosuid shared:2 master:1 - fuse.sshfs me@host:/data rw,user_id=0',
    '',
  ].join('\n');
  expect(mountType(mountinfo, (259 << 8) | 2)).toBe('ext4');
  // Minor numbers above 255 lie in the upper bits (makedev(3)).
  expect(mountType(mountinfo, ((300 & ~0xff) << 12) | (300 & 0xff))).toBe('fuse.sshfs');
  expect(mountType(mountinfo, 77)).toBeUndefined();
});

test('what the system says of the temporary folder is accepted', async () => {
  expect(nameNetworkFileSystem(await readFileSystem(tmpdir()))).toBeUndefined();
  await expect(refuseNetworkFileSystem(tmpdir())).resolves.toBeUndefined();
});

test('a store on a network file system is refused with advice, and no database is made', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'spawn-store-'));
  const path = join(folder, 'store.db');
  const open = openSqliteStore({ path, readFileSystem: async () => ({ magic: 0x6969 }) });
  await expect(open).rejects.toMatchObject({
    code: 'STORE_NETWORK_FS',
    message: expect.stringMatching(/found NFS; set SPAWN_DATA_DIR to a local directory/),
  });
  expect(await readdir(folder)).toEqual([]);
  await rm(folder, { recursive: true });
});
