import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OwnHome, ownHome } from '../support/own-home.ts';

const weather = fileURLToPath(new URL('../../node_modules/vega-datasets/data/seattle-weather.csv', import.meta.url));

let home: OwnHome;
beforeAll(() => {
  home = ownHome();
});
afterAll(() => home.close());

/** By another way than the example: one pass, sums by month, the shift taken out at the end. */
function expectedMeans(): number[] {
  const sums = new Map<number, { sum: number; days: number }>();
  for (const line of readFileSync(weather, 'utf8').split('\n').slice(1).filter(Boolean)) {
    const [day, , max] = line.split(',');
    const month = Number(day!.slice(5, 7));
    const { sum, days } = sums.get(month) ?? { sum: 0, days: 0 };
    sums.set(month, { sum: sum + Number(max), days: days + 1 });
  }
  return [...sums].toSorted(([a], [b]) => a - b).map(([month, { sum, days }]) => sum / days - month / 10);
}

test('examples/pipeline retries two of twelve in place, and all that waited for them runs', () => {
  const out = join(home.folder, 'out');
  const run = home.run('examples/pipeline/run.mjs', out);
  expect(run.status, run.stderr).toBe(0);
  expect(run.stdout).toContain('12: 10 completed, 2 failed');
  expect(run.stdout).toContain('job 1: 2 tasks to run again');

  const means = JSON.parse(readFileSync(join(out, 'year.json'), 'utf8')) as number[];
  expect(means).toHaveLength(12);
  for (const [at, mean] of expectedMeans().entries()) expect(means[at]).toBeCloseTo(mean, 1);

  const attempts = (job: string) =>
    (JSON.parse(home.run('dist/bin/spawn.js', 'tasks', job, '-o', 'json').stdout) as { attempt: number }[]).map(
      ({ attempt }) => attempt,
    );
  const twice = [1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 2, 1];
  expect(attempts('clean')).toEqual(twice);
  // Their partners had never run: they were skipped.
  expect(attempts('mean')).toEqual(twice.map(() => 1));
  expect(attempts('year')).toEqual([1]);
});
