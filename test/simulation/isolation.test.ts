import { expect, it } from 'vitest';
import { unpackEnds } from '../../src/core/end-chunk.ts';
import { TaskState } from '../../src/core/task-state.ts';
import { NO_FAULTS } from './network.ts';
import { Simulation } from './simulation.ts';

it('stops a task on a worker that is cut off before another worker gets it', async () => {
  const sim = new Simulation({ seed: 5, workers: 2, faults: NO_FAULTS, stormMs: 0 });
  await sim.begin();
  void sim.submit('long', { name: 'long' }, () => ({ durationMs: 40_000, outcome: 0, killsWorker: false }));
  // Leased is not enough: the worker must have started it and said so.
  await sim.run(() => sim.ledger!.memory.jobs.get(1)?.job.table.counts[TaskState.running] === 1, 10_000);
  for (const worker of sim.workers) {
    const entry = sim.ledger!.memory.sessions.get(worker.sessionId);
    if (entry !== undefined && entry.session.heldCount > 0) worker.isolate(60_000);
  }
  // Every start is compared with what runs elsewhere at that moment.
  const ends = () => sim.disk.content.ends.flatMap(({ data }) => unpackEnds(data));
  await sim.run(() => ends().length === 2, 300_000);
  expect(ends().map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
    [1, 6 * 256],
    [2, 0],
  ]);
});
