import { expect, it } from 'vitest';
import { type Faults, NO_FAULTS } from './network.ts';
import { Simulation } from './simulation.ts';

const SEEDS = Number(process.env.SPAWN_SIMULATION_SEEDS ?? 12);
const FIRST_SEED = Number(process.env.SPAWN_SIMULATION_FIRST_SEED ?? 1);
const COMMITS = process.env.SPAWN_SIMULATION_COMMITS;
/** A calm day has more, else it tries nothing. */
const LEAST_COMMITS = 50;

/** Of the weather that all days are tried in. */
const STORM: Faults = {
  loss: 0.05,
  double: 0.05,
  delayMs: 30,
  refuse: 0.01,
  crash: 0.005,
  freeze: 0.01,
  kill: 0.01,
  cut: 0.03,
  isolate: 0.01,
  suspend: 0.003,
};

interface Days {
  /** Lives one day to its end, with all that is checked in it. */
  readonly live: (sim: Simulation) => Promise<void>;
  readonly calmSeed: number;
  /** How many commits of the calm day are tried, spread evenly, unless SPAWN_SIMULATION_COMMITS says otherwise. */
  readonly commits: number;
  readonly workers: number;
  readonly stormMs: number;
  readonly storm?: Partial<Faults>;
  /** More that must hold after a day with one fate at one commit. */
  readonly after?: (sim: Simulation, fate: string, at: number) => void;
}

/** Tests a day with each fate of a commit, and in many storms. A failing seed is in the name of its test. */
export function testDays({ live, calmSeed, commits, workers, stormMs, storm, after }: Days): void {
  const calmDay = { seed: calmSeed, workers: 2, faults: NO_FAULTS, stormMs: 0 };
  it.each(['fail', 'crashBefore', 'crashAfter'] as const)('survives %s at every commit', async (fate) => {
    const whole = new Simulation({ ...calmDay, fate: () => 'ok' });
    await live(whole);
    expect(whole.commits).toBeGreaterThan(LEAST_COMMITS);
    const step = Math.max(1, Math.floor(whole.commits / Number(COMMITS ?? commits)));
    for (let at = 1; at <= whole.commits; at += step) {
      const sim = new Simulation({ ...calmDay, fate: (commit) => (commit === at ? fate : 'ok') });
      await live(sim);
      after?.(sim, fate, at);
    }
  });

  const seeds = Array.from({ length: SEEDS }, (_, at) => FIRST_SEED + at);
  it.each(seeds)('holds every promise in storm %i', async (seed) => {
    await live(new Simulation({ seed, workers, faults: { ...STORM, ...storm }, stormMs }));
  });
}
