import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ForkerProgram, forkerProgram } from '../../src/worker/forker/programs.ts';
import type { ForkerKind, MemoryLimitKind } from '../../src/worker/forker/types.ts';
import { ForkerUnderTest } from './forker-under-test.ts';

export interface MemoryForker {
  readonly kind: ForkerKind;
  readonly memory: MemoryLimitKind;
  readonly start: () => Promise<ForkerUnderTest>;
}

/** The native forker in a mount namespace where no cgroup can be reached, as in most containers. */
function withoutCgroups(): ForkerProgram {
  const { kind, command } = forkerProgram('native');
  const script = 'mount -t tmpfs none /sys/fs/cgroup && exec "$0"';
  return { kind, command: 'unshare', args: ['--mount', '--propagation', 'private', '/bin/sh', '-c', script, command] };
}

const canHideCgroups = (): boolean =>
  spawnSync('unshare', ['--mount', '/bin/sh', '-c', 'mount -t tmpfs none /sys/fs/cgroup'], { stdio: 'ignore' })
    .status === 0;

/** Every way of holding a task to its memory that this machine has: which cgroups there are depends on machine and user. */
export async function memoryForkers(): Promise<readonly MemoryForker[]> {
  await using plain = await ForkerUnderTest.start('native');
  const { memory } = plain.forker.capabilities;
  const forkers: MemoryForker[] = [
    { kind: 'native', memory, start: () => ForkerUnderTest.start('native') },
    { kind: 'node', memory: 'sampled', start: () => ForkerUnderTest.start('node') },
  ];
  if (memory === 'cgroup' && canHideCgroups()) {
    const start = () => ForkerUnderTest.start('native', { program: withoutCgroups() });
    forkers.push({ kind: 'native', memory: 'sampled', start });
  }
  return forkers;
}

const NOBODY = 65534;

/** The native forker as a user without rights, for a root that may become one. */
export function startAsNobody(): Promise<ForkerUnderTest> {
  const logDir = mkdtempSync(join(tmpdir(), 'forker-test-'));
  chownSync(logDir, NOBODY, NOBODY);
  // It may not be allowed to reach the folder of this project.
  const command = join(logDir, 'forker');
  copyFileSync(forkerProgram('native').command, command);
  chmodSync(command, 0o755);
  const args = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', command];
  return ForkerUnderTest.start('native', { logDir, program: { kind: 'native', command: 'setpriv', args } });
}
