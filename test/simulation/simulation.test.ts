import { describe, expect, it } from 'vitest';
import type { JobSpecInput } from '../../src/api/job-spec.ts';
import type { Chance } from './chance.ts';
import { interfere } from './interfere.ts';
import { CALLER, NO_FAULTS } from './network.ts';
import { Simulation } from './simulation.ts';
import { testDays } from './storms.ts';

/** A day's work: arrays with failures, retries, throttles, dependencies, and people who cancel, hold and retry. */
async function busyDay(sim: Simulation): Promise<void> {
  const { chance } = sim;
  const ids: number[] = [];
  for (let i = 0; i < 8; i++) {
    const size = chance.between(1, 60);
    const before = ids.length === 0 ? undefined : chance.pick(ids);
    const after =
      before === undefined || chance.yes(0.4)
        ? undefined
        : `${chance.pick(['afterok', 'afterany', 'afternotok', 'aftercorr', 'after'])}:${before}`;
    const singleton = after === undefined && chance.yes(0.2);
    const poison = chance.yes(0.1) ? chance.below(size) : -1;
    const fails = chance.yes(0.4) ? 0.2 : 0;
    const slow = chance.pick([20, 400, 20_000]);
    const runs = new Map<number, number>();
    const id = await sim.submit(
      `key-${i}`,
      {
        name: singleton ? 'alone' : `job-${i}`,
        array: `0-${size - 1}`,
        throttle: chance.yes(0.3) ? chance.between(1, 3) : 0,
        retries: chance.between(0, 2),
        ...retrySome(chance),
        ...needSome(chance),
        ...(chance.yes(0.2) ? { beginInMs: chance.between(1, 40_000) } : {}),
        ...(chance.yes(0.15) ? { deadlineInMs: chance.between(41_000, 200_000) } : {}),
        canary: chance.yes(0.3) ? chance.between(1, 5) : 0,
        priority: chance.between(0, 1),
        ...(after === undefined ? {} : { after }),
        ...(singleton ? { after: 'singleton' } : {}),
      },
      (position) => {
        const run = (runs.get(position) ?? 0) + 1;
        runs.set(position, run);
        return {
          durationMs: 1 + ((position * 7919 + run * 31) % slow),
          outcome: (position * 104_729 + run * 1_299_709) % 100 < fails * 100 ? 3 : 0,
          killsWorker: position === poison,
        };
      },
    );
    ids.push(id);
    if (chance.yes(0.4)) await interfere(sim, ids);
  }
}

/** What is scarce: two tasks at most share a GPU, and at most four run on a worker. */
function needSome(chance: Chance): Partial<JobSpecInput> {
  if (chance.yes(0.5)) return {};
  const resources = chance.yes(0.3) ? { licence: chance.pick([0.2, 0.5, 1]) } : {};
  return { memoryBytes: 2 ** 28, cpus: chance.pick([0.5, 1]), gpus: chance.pick([0, 0, 0.5, 0.4, 1, 2]), resources };
}

/** Retries at once, after a while, or after one that grows and varies. */
function retrySome(chance: Chance): Partial<JobSpecInput> {
  const kind = chance.below(5);
  if (kind === 0) return { retryDelayMs: 700 };
  if (kind > 1) return {};
  return {
    retryDelayMs: 300,
    retryBackoff: 'exponential',
    retryJitter: 0.5,
    retryMaxDelayMs: 2_000,
  };
}

async function releaseAll(sim: Simulation): Promise<void> {
  for (const id of sim.acknowledged.keys()) {
    try {
      await sim.insist((coordinator) => coordinator.release(CALLER, String(id), {}));
      await sim.insist((coordinator) => coordinator.resume(CALLER, String(id), {}));
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== 'JOB_NOT_FOUND' || !sim.doomed.has(id)) expect(code).toBe('JOB_ENDED');
    }
  }
}

async function live(sim: Simulation): Promise<void> {
  await sim.begin();
  let busy = true;
  let failed: unknown;
  const day = busyDay(sim)
    .then(() => releaseAll(sim))
    .catch((error: unknown) => {
      failed = error;
    })
    .finally(() => {
      busy = false;
    });
  await sim.run(() => !busy, 10_000_000);
  await day;
  if (failed !== undefined) throw failed;
  sim.calm();
  await sim.run(() => sim.finished(), 10_000_000);
  const ended = sim.clock.elapsed;
  await sim.run(() => sim.clock.elapsed > ended + 3_000, 10_000);
  await sim.checkHistory();
}

// A busy machine takes a minute for what a quiet one does in two seconds.
describe('simulation', { timeout: 600_000 }, () => {
  it('finishes a calm day', async () => {
    await live(new Simulation({ seed: 4_711, workers: 3, faults: NO_FAULTS, stormMs: 0 }));
  });

  testDays({
    live,
    calmSeed: 99,
    commits: 40,
    workers: 4,
    stormMs: 120_000,
    after: (sim, fate, at) => {
      expect(sim.commits).toBeGreaterThanOrEqual(at);
      expect(sim.crashes).toBe(fate === 'fail' ? 0 : 1);
    },
  });
});
