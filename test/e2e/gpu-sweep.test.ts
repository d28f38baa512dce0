import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OwnHome, ownHome } from '../support/own-home.ts';

const SPAWN = 'dist/bin/spawn.js';

describe('examples/gpu-sweep', () => {
  let home: OwnHome;

  beforeAll(() => {
    home = ownHome();
    home.env.SPAWN_LOCAL_GPUS = '2';
  });
  afterAll(() => home.close());

  test('tries every setting on half a GPU, and finds the best', () => {
    const out = join(home.folder, 'out');
    const run = home.run('examples/gpu-sweep/run.mjs', out);
    expect({ status: run.status, stderr: run.status === 0 ? '' : run.stderr }).toEqual({ status: 0, stderr: '' });
    expect(run.stdout).toContain('best of 12: rate 3, decay 0, with 68 of 69 right');
    expect(JSON.parse(readFileSync(join(out, 'best.json'), 'utf8'))).toMatchObject({ index: 9, right: 68, of: 69 });

    const results = readdirSync(join(out, 'results')).map((name) =>
      JSON.parse(readFileSync(join(out, 'results', name), 'utf8')),
    );
    expect(results.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual([...Array(12).keys()]);
    expect(new Set(results.map(({ gpu }) => gpu))).toEqual(new Set(['0', '1']));
    // The slowest learner has not learned enough in the same time.
    expect(results.find(({ index }) => index === 2).right).toBeLessThan(68);
    // No task began before the two of the canary had ended.
    const tasks = JSON.parse(home.run(SPAWN, 'tasks', 'sweep', '-o', 'json').stdout) as Record<string, string>[];
    const byStart = tasks.toSorted((a, b) => Date.parse(a.started_at!) - Date.parse(b.started_at!));
    const canaryEnd = Math.max(...byStart.slice(0, 2).map(({ ended_at }) => Date.parse(ended_at!)));
    expect(Date.parse(byStart[2]!.started_at!)).toBeGreaterThanOrEqual(canaryEnd);
  });

  test('a mistake costs two tasks, not twelve', () => {
    const out = join(home.folder, 'wrong');
    const run = home.run('examples/gpu-sweep/run.mjs', out, join(home.folder, 'no-such-file.json'));
    expect(run.status).toBe(1);
    expect(existsSync(join(out, 'best.json'))).toBe(false);
    const { tasks_failed: failed, tasks_cancelled: cancelled } = JSON.parse(
      home.run(SPAWN, 'status', 'sweep', '-o', 'json').stdout,
    );
    expect({ failed, cancelled }).toEqual({ failed: 2, cancelled: 10 });
  });
});
