import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SandboxLauncher } from './sandbox-launch.ts';

let programs: string;
beforeEach(() => {
  programs = mkdtempSync(join(tmpdir(), 'spawn-launcher-'));
});
afterEach(() => rmSync(programs, { recursive: true, force: true }));

function launcher(script: string): SandboxLauncher {
  writeFileSync(join(programs, 'spored'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return new SandboxLauncher(programs, '/instances');
}

test('a launcher that dies fails what was asked of it, also while a process that it left hangs; the next request gets another one', async () => {
  const file = join(programs, 'hanging');
  const dying = launcher(`sleep 100 & echo $! >> ${file}; read line; kill -KILL $$`);
  const pids = () => readFileSync(file, 'utf8').trim().split('\n').map(Number);
  try {
    for (const times of [1, 2]) {
      const both = await Promise.all([dying.launch('/instances/i-1'), dying.launch('/instances/i-2')]);
      for (const failure of both)
        expect(failure).toEqual({ failure: { step: 'launcher', why: expect.stringContaining('ended with SIGKILL') } });
      expect(pids()).toHaveLength(times);
    }
  } finally {
    for (const pid of pids()) process.kill(pid, 'SIGKILL');
    await dying.close();
  }
});

test('one that cannot be started says so', async () => {
  const missing = new SandboxLauncher(join(programs, 'none'), '/instances');
  expect(await missing.launch('/instances/i-1')).toEqual({
    failure: { step: 'launcher', why: expect.stringContaining('ENOENT') },
  });
  await missing.close();
});

test('answers come in any order, in pieces, and with words of a failure', async () => {
  const slow = launcher(
    "read one; read two; printf '2\\tfai'; printf 'led\\tmount\\t1\\tmount: no\\n1\\tready\\t7\\t8\\tboot\\n'; read end",
  );
  const both = await Promise.all([slow.launch('/instances/i-1'), slow.launch('/instances/i-2')]);
  expect(both).toEqual([
    { init: { pid: 7, startTicks: 8, bootId: 'boot' } },
    { failure: { step: 'mount', why: 'mount: no' } },
  ]);
  await slow.close();
});
