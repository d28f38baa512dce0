import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OwnHome, ownHome } from '../support/own-home.ts';

describe('examples/instance-array', () => {
  let home: OwnHome;
  let out: string;

  beforeAll(() => {
    home = ownHome();
    out = join(home.folder, 'out');
  });
  afterAll(() => {
    home.run('dist/bin/spawn.js', 'terminate', '--yes', '--job-array-name', 'pi', '--timeout', '60s');
    home.close();
  });

  // Its instances are sandboxes of this machine.
  test('shares the work among its members, and leaves none running', { timeout: 300_000 }, () => {
    const run = home.run('examples/instance-array/run.mjs', out);
    expect({ status: run.status, stderr: run.status === 0 ? '' : run.stderr }).toEqual({ status: 0, stderr: '' });

    const result = readFileSync(join(out, 'result.txt'), 'utf8');
    // Seeded by the number of the block: the same whoever did which.
    expect(result).toMatch(/^pi is about 3\.14202, from 40 blocks of [1-8] members\n$/);

    const list = home.run('dist/bin/spawn.js', 'list', '--job-array-name', 'pi', '--format', 'json');
    const members = JSON.parse(list.stdout) as { state: string; reason: string }[];
    expect(members).toHaveLength(8);
    for (const { state, reason } of members) {
      expect(state).toMatch(/^(?:shutting-down|terminated)$/);
      expect(reason).toBe('completed');
    }
  });
});
