import { describe, expect, it } from 'vitest';
import type { InstanceVerb } from '../../src/api/instance.ts';
import { CALLER, NO_FAULTS } from './network.ts';
import { Simulation } from './simulation.ts';
import { testDays } from './storms.ts';

const VERBS: readonly InstanceVerb[] = ['stop', 'start', 'hibernate', 'start', 'terminate', 'replace'];
/** What a person may be told who comes too late, or names what is not there any more. */
const REFUSED = ['INSTANCE_NOT_FOUND', 'JOB_ENDED', 'JOB_NOT_FOUND', 'BAD_REQUEST', 'ARRAY_TOO_LARGE'];

/** Arrays of instances among jobs of the pool that wait for them and that they wait for, and people who stop, start and end them. */
async function instanceDay(sim: Simulation): Promise<string[]> {
  const { chance } = sim;
  const ids: number[] = [];
  const arrays: string[] = [];
  for (let i = 0; i < 6; i++) {
    const size = chance.between(1, 12);
    const isArray = i % 2 === 0 || chance.yes(0.3);
    const before = ids.length === 0 || chance.yes(0.4) ? undefined : chance.pick(ids);
    const slow = chance.pick([20, 3_000, 40_000]);
    const fails = chance.yes(0.4) ? 0.2 : 0;
    const runs = new Map<number, number>();
    const name = `array-${i}`;
    const throttle = chance.yes(0.3) ? chance.between(1, 4) : 0;
    const id = await sim.submit(
      `key-${i}`,
      {
        name,
        array: `0-${size - 1}`,
        throttle,
        retries: chance.between(0, 2),
        ...(chance.yes(0.3) ? { retryDelayMs: 700 } : {}),
        ...(before === undefined ? {} : { after: `${chance.pick(['afterok', 'afterany', 'aftercorr'])}:${before}` }),
        ...(isArray
          ? { instances: { replacements: chance.between(0, 6), onComplete: throttle > 0 ? 'terminate' : 'none' } }
          : {}),
      },
      (position) => {
        const run = (runs.get(position) ?? 0) + 1;
        runs.set(position, run);
        return {
          durationMs: 1 + ((position * 7919 + run * 31) % slow),
          outcome: (position * 104_729 + run * 1_299_709) % 100 < fails * 100 ? 3 : 0,
          killsWorker: false,
        };
      },
    );
    ids.push(id);
    if (isArray) arrays.push(name);
    for (let acts = chance.below(4); acts > 0; acts--) await act(sim, chance.pick(arrays), ids);
  }
  return arrays;
}

async function act(sim: Simulation, array: string, ids: readonly number[]): Promise<void> {
  const { chance } = sim;
  const ref = String(chance.pick(ids));
  const some = chance.yes(0.5) ? ref : `${ref}_0`;
  const target = chance.yes(0.5) ? { arrayName: array } : { instance: `${array}-0` };
  const kind = chance.below(10);
  const verb = chance.pick(VERBS);
  const count = chance.between(1, 14);
  await refusable(
    sim.insist(async (coordinator) => {
      if (kind < 6) return await coordinator.instanceVerb(CALLER, verb, { target, waitMs: 0 });
      if (kind === 6) return await coordinator.resize(CALLER, array, count);
      if (kind === 7) return await coordinator.cancel(CALLER, some, {});
      return kind === 8 ? await coordinator.retry(CALLER, some, {}) : await coordinator.requeue(CALLER, some, {});
    }),
  );
  await new Promise<void>((resolve) => sim.clock.timer(chance.between(1, 8_000), resolve));
}

async function refusable(done: Promise<unknown>): Promise<void> {
  try {
    await done;
  } catch (error) {
    expect(REFUSED, String((error as Error).stack)).toContain((error as { code?: string }).code);
  }
}

async function live(sim: Simulation): Promise<void> {
  await sim.begin();
  let arrays: string[] | undefined;
  let failed: unknown;
  instanceDay(sim).then(
    (made) => {
      arrays = made;
    },
    (error: unknown) => {
      failed = error;
    },
  );
  await sim.run(() => arrays !== undefined || failed !== undefined, 600_000);
  if (failed !== undefined) throw failed;
  sim.calm();
  let over = false;
  const starting = startAll(sim, arrays!, () => over);
  await sim.run(() => sim.finished(), 600_000);
  over = true;
  // Everything that is left is ended, and nothing of it stays.
  let ended = false;
  void starting
    .then(() => endAll(sim, arrays!))
    .then(() => {
      ended = true;
    });
  await sim.run(() => ended && sim.machines.machines.size === 0, 600_000);
  const { content } = sim.disk;
  const isOpen = ({ instance, closedAt }: { instance: string; closedAt: number }) => instance !== '' && closedAt === 0;
  await sim.run(() => {
    const live = [...content.instances.values()].filter(({ endedAt }) => endedAt === 0);
    return live.length === 0 && ![...content.sessions.values()].some(isOpen);
  }, 100_000);
  expect(sim.ledger!.memory.bound.size).toBe(0);
  await sim.checkHistory();
}

/** What people stopped goes on, until all has ended. */
async function startAll(sim: Simulation, arrays: readonly string[], isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    for (const arrayName of arrays) {
      await refusable(
        sim.insist((coordinator) => coordinator.instanceVerb(CALLER, 'start', { target: { arrayName }, waitMs: 0 })),
      );
    }
    await new Promise<void>((resolve) => sim.clock.timer(5_000, resolve));
  }
}

async function endAll(sim: Simulation, arrays: readonly string[]): Promise<void> {
  for (const arrayName of arrays) {
    await refusable(
      sim.insist((coordinator) => coordinator.instanceVerb(CALLER, 'terminate', { target: { arrayName }, waitMs: 0 })),
    );
  }
}

// A busy machine takes a minute for what a quiet one does in two seconds.
describe('simulation of instances', { timeout: 600_000 }, () => {
  it('finishes a calm day', async () => {
    const sim = new Simulation({ seed: 4_711, workers: 2, faults: NO_FAULTS, stormMs: 0 });
    await live(sim);
    expect(sim.machines.agents.length).toBeGreaterThan(10);
  });

  const storm = { freeze: 0, isolate: 0 };
  testDays({ live, calmSeed: 7, commits: 10, workers: 2, stormMs: 60_000, storm });
});
