import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OwnHome, ownHome } from '../support/own-home.ts';

const SIMULATIONS = 1_000;
const DRAWS = 10_000;

describe('examples/monte-carlo', () => {
  let home: OwnHome;
  let out: string;

  beforeAll(() => {
    home = ownHome();
    out = join(home.folder, 'out');
  });
  afterAll(() => home.close());

  test('runs every simulation, then the aggregate', { timeout: 300_000 }, () => {
    const run = home.run('examples/monte-carlo/run.mjs', out);
    expect({ status: run.status, stderr: run.status === 0 ? '' : run.stderr }).toEqual({ status: 0, stderr: '' });
    expect(readdirSync(join(out, 'estimates'))).toHaveLength(SIMULATIONS);

    const result = JSON.parse(readFileSync(join(out, 'result.json'), 'utf8'));
    expect(result.simulations).toBe(SIMULATIONS);
    // An estimate is 4 times a share of hits with p = pi/4, so its variance is 16 p (1 - p) / draws.
    const variance = (Math.PI * (4 - Math.PI)) / DRAWS;
    const deviation = Math.sqrt(variance / SIMULATIONS);
    expect(Math.abs(result.mean - Math.PI)).toBeLessThan(3 * deviation);
    // The sample variance of n normal values varies by sqrt(2 / (n - 1)) of itself.
    expect(Math.abs(result.variance / variance - 1)).toBeLessThan(3 * Math.sqrt(2 / (SIMULATIONS - 1)));
    // Seeded, so these are always the same; another generator or another number of draws shows here.
    expect(result.mean).toBeCloseTo(3.14166, 10);
    expect(result.variance).toBeCloseTo(0.0002627292092092091, 15);
  });
});
