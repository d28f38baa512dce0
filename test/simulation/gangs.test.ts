import { describe, expect, it } from 'vitest';
import type { JobSpecInput } from '../../src/api/job-spec.ts';
import type { Chance } from './chance.ts';
import { CALLER, NO_FAULTS } from './network.ts';
import { Simulation } from './simulation.ts';
import { testDays } from './storms.ts';

/** All of them fit on the two workers of a calm day, which have 1 and 2 CPUs. */
const KINDS: readonly Partial<JobSpecInput>[] = [
  {},
  { cpus: 2 },
  { exclusive: true },
  { gang: { nodes: { min: 2, max: 2 } }, cpus: 2 },
  { gang: { nodes: { min: 2, max: 3 }, tasks: 3 }, cpus: 3 },
  { gang: { tasks: 3 }, cpus: 3 },
  { gang: { nodes: { min: 2, max: 2 } }, cpus: 2, exclusive: true },
  { gang: { tasks: 2, cpusPerTask: 0.5, memoryBytesPerTask: 2 ** 20 }, cpus: 1, gpus: 1, memoryBytes: 2 ** 20 },
];

/** Arrays of gangs, exclusive and other tasks, which people cancel, requeue, suspend and retry meanwhile. */
async function workDay(sim: Simulation): Promise<void> {
  const { chance } = sim;
  const ids: number[] = [];
  for (let i = 0; i < 7; i++) {
    const size = chance.between(1, 6);
    const slow = chance.pick([50, 2_000, 20_000]);
    const id = await sim.submit(
      `gang-${i}`,
      { array: `0-${size - 1}`, priority: chance.between(0, 1), retries: 1, crashLimit: 50, ...chance.pick(KINDS) },
      (position) => ({
        durationMs: 1 + ((position * 7_919 + i * 31) % slow),
        outcome: position === 4 ? 3 : 0,
        killsWorker: false,
      }),
    );
    ids.push(id);
    if (chance.yes(0.5)) await meddle(sim, chance, String(chance.pick(ids)));
  }
}

async function meddle(sim: Simulation, chance: Chance, ref: string): Promise<void> {
  const verb = chance.pick(['cancel', 'requeue', 'suspend', 'resume', 'retry', 'hold', 'release'] as const);
  try {
    await sim.insist((coordinator) => coordinator[verb](CALLER, ref, {}));
  } catch (error) {
    expect((error as { code?: string }).code).toBe('JOB_ENDED');
  }
}

async function live(sim: Simulation): Promise<void> {
  await sim.begin();
  let state: 'busy' | 'done' | { readonly error: unknown } = 'busy';
  const day = workDay(sim).then(
    () => {
      state = 'done';
    },
    (error: unknown) => {
      state = { error };
    },
  );
  await sim.run(() => state !== 'busy', 10_000_000);
  await day;
  expect(state).toBe('done');
  for (const id of sim.acknowledged.keys()) {
    for (const verb of ['release', 'resume'] as const) {
      const free = sim
        .insist((coordinator) => coordinator[verb](CALLER, String(id), {}))
        .catch((error: unknown) => {
          expect((error as { code?: string }).code).toBe('JOB_ENDED');
        });
      let isOver = false;
      void free.finally(() => {
        isOver = true;
      });
      await sim.run(() => isOver, 10_000_000);
      await free;
    }
  }
  sim.calm();
  await sim.run(() => sim.finished(), 10_000_000);
  const ended = sim.clock.elapsed;
  await sim.run(() => sim.clock.elapsed > ended + 3_000, 10_000);
  await sim.checkHistory();
  const { memory } = sim.ledger!;
  expect([memory.gangs.size, ...[...memory.pool].map(({ places }) => places.size)]).toEqual(
    Array.from({ length: memory.pool.size + 1 }, () => 0),
  );
}

describe('gangs and exclusive tasks', { timeout: 600_000 }, () => {
  it('finish a calm day', async () => {
    await live(new Simulation({ seed: 815, workers: 4, faults: NO_FAULTS, stormMs: 0 }));
  });

  testDays({ live, calmSeed: 3, commits: 8, workers: 4, stormMs: 40_000 });
});
