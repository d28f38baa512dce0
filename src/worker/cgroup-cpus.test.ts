import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cgroupCpus } from './cgroup-cpus.ts';

function machine(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'spawn-cgroup-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const SECOND = '29 1 0:25 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n';
const FIRST = `22 1 0:21 / /proc rw - proc proc rw
30 1 0:26 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
31 1 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
`;

test('the smallest quota on the way up counts, of version 2', () => {
  const root = machine({
    'proc/self/mountinfo': SECOND,
    'proc/self/cgroup': '0::/user.slice/job\n',
    'sys/fs/cgroup/user.slice/cpu.max': '150000 100000\n',
    'sys/fs/cgroup/user.slice/job/cpu.max': '400000 100000\n',
  });
  expect(cgroupCpus(root)).toBe(1.5);
});

test('and of version 1, among other groups', () => {
  const root = machine({
    'proc/self/mountinfo': FIRST,
    'proc/self/cgroup': '4:cpuset:/small\n3:cpu,cpuacct:/job\n0::/elsewhere\nnothing\n',
    'sys/fs/cgroup/cpuset/small/cpu.cfs_quota_us': '1',
    'sys/fs/cgroup/cpuset/small/cpu.cfs_period_us': '100000',
    'sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us': '50000\n',
    'sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us': '100000\n',
    'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
    'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
  });
  expect(cgroupCpus(root)).toBe(0.5);
});

test('in a container the path is that of the host, and only the group itself is mounted', () => {
  const root = machine({
    'proc/self/mountinfo': '29 1 0:25 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n',
    'proc/self/cgroup': '0::/docker/abc\n',
    'sys/fs/cgroup/cpu.max': '200000 100000\n',
  });
  expect(cgroupCpus(root)).toBe(2);
});

test.each([
  {},
  { 'proc/self/mountinfo': SECOND, 'proc/self/cgroup': '0::/\n' },
  { 'proc/self/mountinfo': SECOND, 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': 'max 100000\n' },
  { 'proc/self/mountinfo': SECOND, 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': 'garbage' },
  { 'proc/self/mountinfo': 'x\n- -\n', 'proc/self/cgroup': '3:cpu:/a\n0::/\n', 'sys/fs/cgroup/cpu.max': '1 100000' },
])('without a quota there is no bound: %j', (files) => {
  expect(cgroupCpus(machine(files as Record<string, string>))).toBe(Number.POSITIVE_INFINITY);
});
