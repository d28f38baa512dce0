import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { requireOr } from '../support/require.ts';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';
import { canMountSmallDisk } from '../support/small-disk.ts';
import { until } from '../support/until.ts';

const mountable = canMountSmallDisk();
const itOnSmallDisk = requireOr('mounting a small tmpfs (root)', mountable);

/** A data directory on a disk of its own, filled and emptied under a running coordinator (P11). */
describe('a full disk', () => {
  let box: Sandbox;
  let ballast = '';

  beforeAll(() => {
    if (!mountable) return;
    box = makeSandbox();
    execFileSync('mkdir', ['-m', '0700', box.dataDir]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=0700', 'tmpfs', box.dataDir]);
    ballast = join(box.dataDir, 'ballast');
  });

  afterAll(async () => {
    if (!mountable) return;
    rmSync(ballast, { force: true });
    await box.spawn(['server', 'stop']);
    execFileSync('umount', [box.dataDir]);
    await box.close();
  });

  /** Leaves no byte free. */
  function fill(): void {
    const file = openSync(ballast, 'a', 0o600);
    for (let size = 1 << 20; size >= 1; size >>= 1) {
      const block = Buffer.alloc(size);
      try {
        for (;;) if (writeSync(file, block) < size) break;
      } catch {
        // Smaller pieces may still fit.
      }
    }
    closeSync(file);
  }

  itOnSmallDisk(
    'refuses writes, serves reads, loses nothing and recovers by itself',
    { timeout: 120_000 },
    async () => {
      const first = await box.spawn(['submit', '--wait', '--quiet', '--array', '5', '--', 'echo', 'before']);
      expect(first.code, first.err).toBe(0);
      // Tasks that run while the disk is full: their ends are kept by the worker until there is space.
      const during = await box.spawn([
        'submit',
        '--quiet',
        '--array',
        '4',
        '--',
        'sh',
        '-c',
        'while [ ! -f go ]; do sleep 0.05; done',
      ]);
      expect(during.code, during.err).toBe(0);
      await until('two tasks to run', async () => {
        const shown = await box.spawn(['status', during.out.trim(), '-o', 'json']);
        return (JSON.parse(shown.out) as { tasks_running: number }).tasks_running === 2;
      });

      fill();
      const refused = await until('a submit to be refused', async () => {
        const ended = await box.spawn(['submit', '--quiet', '--', 'true']);
        return ended.code !== 0 ? ended : undefined;
      });
      expect(refused.err).toMatch(/^spawn: .*(full|no space)/i);
      expect(refused.code).toBe(74);
      // The server writes its log on the same disk: when that has no room either, the reply is the same.
      for (const _ of Array(8)) expect(await box.spawn(['submit', '--', 'true'])).toMatchObject({ code: 74 });
      const listed = await box.spawn(['jobs', '--all', '-o', 'json']);
      expect(listed.code, listed.err).toBe(0);
      expect((JSON.parse(listed.out) as { state: string }[]).map(({ state }) => state)).toContain('completed');
      execFileSync('touch', [join(box.folder, 'go')]);

      rmSync(ballast);
      const waited = await box.spawn(['wait', during.out.trim()]);
      expect(waited.code, waited.err).toBe(0);
      const again = await until('a submit to be taken again', async () => {
        const ended = await box.spawn(['submit', '--wait', '--quiet', '--', 'echo', 'after']);
        return ended.code === 0 ? ended : undefined;
      });
      const log = await box.spawn(['logs', again.out.trim()]);
      expect(log.out).toBe('after\n');
      const tasks = JSON.parse((await box.spawn(['tasks', during.out.trim(), '-o', 'json'])).out) as {
        attempt: number;
      }[];
      expect(tasks.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1]);
      expect(readFileSync(join(box.dataDir, 'spawn.db')).subarray(0, 15).toString()).toBe('SQLite format 3');
    },
  );
});
