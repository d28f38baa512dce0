import { describe, expect, it } from 'vitest';
import { WorkflowRequest, type WorkflowRequestInput } from '../../src/api/workflow.ts';
import { TaskState } from '../../src/core/task-state.ts';
import { CALLER, NO_FAULTS } from './network.ts';
import { Simulation } from './simulation.ts';
import { testDays } from './storms.ts';

/** Workflows of some jobs, given in any order, of which some fail; some stop then, and some people act on all of their jobs. */
async function workflowDay(sim: Simulation): Promise<void> {
  const { chance } = sim;
  for (let day = 0; day < 5; day++) {
    const count = chance.between(2, 9);
    const jobs: WorkflowRequestInput['jobs'] = Array.from({ length: count }, (_, n) => {
      const type = chance.pick(['afterok', 'afterany', 'aftercorr', 'afternotok']);
      const after = n === 0 || chance.yes(0.3) ? {} : { after: `${type}:@j${chance.below(n)}` };
      const spec = {
        run: { kind: 'argv' as const, argv: ['true'] },
        cwd: '/',
        array: `0-${chance.below(6)}`,
        ...after,
      };
      return { key: `j${n}`, spec, onFailure: chance.yes(0.3) ? 'stop' : 'continue' };
    });
    const name = `w${day}`;
    const request = WorkflowRequest.parse({ name, jobs: jobs.toReversed(), idempotencyKey: name });
    const fails = chance.between(0, count * 2);
    const usual = sim.usual;
    sim.usual = (id) => (id % 5 === fails % 5 ? { durationMs: 15, outcome: 3, killsWorker: false } : usual(id));
    const { workflow } = await sim.insist((coordinator) => coordinator.submitWorkflow(CALLER, request));
    expect(workflow.jobs.map((job) => job.id)).toEqual(workflow.jobs.map((_, at) => workflow.id + at));
    for (const { id } of workflow.jobs) {
      const stored = sim.disk.content.jobs.get(id);
      // Acknowledged is durable, with all the others.
      expect(stored?.spec.workflow).toMatchObject({ first: workflow.id, count, name });
      sim.acknowledged.set(id, stored!.spec);
    }
    const verb = chance.pick(['hold', 'cancel', 'retry', undefined, undefined] as const);
    if (verb === undefined) continue;
    const ref = String(workflow.id);
    await sim.insist((coordinator) => coordinator.workflowVerb(CALLER, verb, ref, {}));
    if (verb === 'hold') await sim.insist((coordinator) => coordinator.workflowVerb(CALLER, 'release', ref, {}));
  }
}

async function live(sim: Simulation): Promise<void> {
  await sim.begin();
  let busy = true;
  let failed: unknown;
  void workflowDay(sim)
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
  checkWhole(sim);
}

/** No workflow is there in part, and none twice. */
function checkWhole(sim: Simulation): void {
  const firsts = new Map<string, number>();
  for (const { id, spec } of sim.disk.content.jobs.values()) {
    const { first, count, name } = spec.workflow!;
    expect(id).toBeGreaterThanOrEqual(first);
    for (let at = 0; at < count; at++) {
      expect(sim.disk.content.jobs.get(first + at)?.spec.workflow).toMatchObject({ first, count, name });
    }
    firsts.set(name!, firsts.get(name!) ?? first);
    expect(firsts.get(name!)).toBe(first);
  }
}

describe('a simulated day of workflows', { timeout: 600_000 }, () => {
  it('ends as it should', async () => {
    const sim = new Simulation({ seed: 7, workers: 3, faults: NO_FAULTS, stormMs: 0 });
    await live(sim);
    const jobs = [...sim.disk.content.jobs.values()];
    const has = (state: TaskState) => jobs.some(({ counts }) => counts[state]! > 0);
    expect([TaskState.completed, TaskState.failed, TaskState.skipped].map(has)).toEqual([true, true, true]);
  });

  testDays({
    live,
    calmSeed: 12,
    commits: 12,
    workers: 3,
    stormMs: 40_000,
    after: (sim, fate, at) => {
      expect(sim.commits).toBeGreaterThanOrEqual(at);
      expect(sim.crashes).toBe(fate === 'fail' ? 0 : 1);
    },
  });
});
