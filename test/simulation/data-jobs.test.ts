import { describe, expect, it } from 'vitest';
import { TaskState } from '../../src/core/task-state.ts';
import { CALLER, NO_FAULTS } from './network.ts';
import { Simulation } from './simulation.ts';
import { testDays } from './storms.ts';

/** A day of jobs that read inputs: plans that fail at first or for good, followers, people who cancel and retry. */
async function dataDay(sim: Simulation): Promise<void> {
  const { chance } = sim;
  const runs = new Map<number, number>();
  const fails = new Set<number>();
  sim.usual = (jobId) => {
    const { kind, of } = sim.disk.content.jobs.get(jobId)!.spec.role!;
    const run = (runs.get(of) ?? 0) + 1;
    runs.set(of, run);
    // Some plans fail, and do better when they are tried again by hand.
    const outcome = kind === 'plan' && (of % 5 === 0 || fails.has(of)) && run === 1 ? 3 : 0;
    const parts = 1 + ((of * 7) % 23);
    return { durationMs: 20 + ((of * 31) % 900), outcome, killsWorker: false, ...(kind === 'plan' ? { parts } : {}) };
  };
  for (let i = 0; i < 4; i++) {
    const slow = chance.pick([20, 4_000]);
    const script = (position: number) => ({
      durationMs: 1 + ((position * 7919) % slow),
      outcome: 0,
      killsWorker: false,
    });
    const input = { type: 'files' as const, from: ['/data'] };
    const canary = chance.yes(0.2) ? 2 : 0;
    const id = await sim.submit(`data-${i}`, { name: `data-${i}`, input, output: { manifest: 'm' }, canary }, script);
    if (chance.yes(0.4)) {
      const same = { type: 'job' as const, job: id };
      // It is no planned job of its own, and its spec is stored with what it waits for.
      const follower = await sim.submit(`same-${i}`, { name: `same-${i}`, input: same }, script);
      expect(follower).toBeGreaterThan(id);
    }
    const verb = chance.below(4);
    if (verb === 0) await sim.insist((coordinator) => coordinator.cancel(CALLER, String(id), {}));
    if (verb <= 1) await sim.insist((coordinator) => coordinator.retry(CALLER, String(id), {}));
    if (verb === 2) await sim.insist((coordinator) => coordinator.hold(CALLER, String(id), {})).catch(ignoreEnded);
    if (verb === 2) await sim.insist((coordinator) => coordinator.release(CALLER, String(id), {})).catch(ignoreEnded);
  }
}

function ignoreEnded(error: unknown): void {
  expect((error as { code?: string }).code).toBe('JOB_ENDED');
}

async function live(sim: Simulation): Promise<void> {
  await sim.begin();
  let busy = true;
  let failed: unknown;
  void dataDay(sim)
    .catch((error: unknown) => {
      failed = error;
    })
    .finally(() => {
      busy = false;
    });
  await sim.run(() => !busy, 10_000_000);
  if (failed !== undefined) throw failed;
  sim.calm();
  await sim.run(() => sim.finished(), 10_000_000);
  const ended = sim.clock.elapsed;
  await sim.run(() => sim.clock.elapsed > ended + 3_000, 10_000);
  await sim.checkHistory();
  for (const { id, spec, size, counts, extra } of sim.disk.content.jobs.values()) {
    if (spec.input?.type !== 'files' || spec.role !== undefined) continue;
    const hasRun = counts[TaskState.completed]! > 0;
    if (hasRun) expect([id, size]).toEqual([id, 1 + ((id * 7) % 23)]);
    expect(hasRun && !extra.includes('"plan"')).toBe(false);
  }
}

describe('a simulated day of data jobs', { timeout: 600_000 }, () => {
  it('ends as it should', async () => {
    const sim = new Simulation({ seed: 23, workers: 3, faults: NO_FAULTS, stormMs: 0 });
    await live(sim);
    const jobs = [...sim.disk.content.jobs.values()].filter(({ spec }) => spec.role === undefined);
    expect(jobs.some(({ size, counts }) => size > 3 && counts[TaskState.completed] === size)).toBe(true);
  });

  testDays({
    live,
    calmSeed: 31,
    commits: 10,
    workers: 3,
    stormMs: 40_000,
    after: (sim, fate, at) => {
      expect(sim.commits).toBeGreaterThanOrEqual(at);
      expect(sim.crashes).toBe(fate === 'fail' ? 0 : 1);
    },
  });
});
