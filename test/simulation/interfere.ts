import { expect } from 'vitest';
import type { UpdateRequest } from '../../src/api/job.ts';
import type { Chance } from './chance.ts';
import { CALLER } from './network.ts';
import type { Simulation } from './simulation.ts';

const VERBS = [
  'cancel',
  'retry',
  'hold',
  'release',
  'requeue',
  'throttle',
  'deadline',
  'one',
  'lane',
  'lane',
  'after',
  'after',
  'more',
  'most',
  'prune',
  'suspend',
] as const;

/** What puts tasks in lanes of their own; every worker has so much. */
const LANES = [
  { memoryBytes: 2 ** 29 },
  { timeLimitMs: 900_000 },
  { priority: 2 },
  { priority: 0, memoryBytes: 2 ** 27 },
];

/** One person does one thing to one of the jobs; those that are removed for ever leave the list. */
export async function interfere(sim: Simulation, ids: number[]): Promise<void> {
  const { chance } = sim;
  const id = chance.pick(ids);
  const verb = chance.pick(VERBS);
  if (verb === 'prune') {
    ids.splice(ids.indexOf(id), 1);
    sim.doomed.add(id);
  }
  if (verb === 'after') sim.rewaiting.add(id);
  const act = chooseAct(sim, id, verb, ids);
  try {
    await act();
  } catch (error) {
    expect(['JOB_ENDED', 'DEPENDENCY_SELF', 'DEPENDENCY_CYCLE']).toContain((error as { code?: string }).code);
  }
}

function chooseAct(
  sim: Simulation,
  id: number,
  verb: (typeof VERBS)[number],
  ids: readonly number[],
): () => Promise<unknown> {
  const { chance } = sim;
  const ref = String(id);
  const update = (which: string, request: UpdateRequest) => () =>
    sim.insist((coordinator) => coordinator.update(CALLER, which, request));
  const some = chance.pick([ref, `${ref}_0`]);
  switch (verb) {
    case 'throttle':
      return update(ref, { throttle: chance.between(0, 4) });
    case 'deadline':
      // After any begin.
      return update(ref, chance.yes(0.3) ? { deadlineAt: null } : { deadlineInMs: chance.between(41_000, 90_000) });
    case 'lane':
      return update(some, chance.pick(LANES));
    case 'after':
      return update(some, { after: chooseDependency(chance, ids) });
    case 'most':
      return update(ref, { maxFailures: chance.yes(0.5) ? null : chance.below(5) });
    case 'more':
      return () =>
        sim.insist((coordinator) => coordinator.retry(CALLER, some, { memoryBytes: 2 ** 29, timeLimitMs: 800_000 }));
    case 'one':
      return () => sim.insist((coordinator) => coordinator.cancel(CALLER, `${ref}_0`, {}));
    case 'suspend': {
      // Few stand still until the end of the day: what waits for them would make it long.
      const forGood = chance.yes(0.2);
      return async () => {
        await sim.insist((coordinator) => coordinator.suspend(CALLER, some, {}));
        if (!forGood) await sim.insist((coordinator) => coordinator.resume(CALLER, ref, {}));
      };
    }
    case 'prune':
      return () =>
        sim.insist((coordinator) =>
          coordinator.prune(CALLER, { olderThanMs: 0, keep: 0, ids: [id], dryRun: chance.yes(0.1) }),
        );
    default:
      return () => sim.insist((coordinator) => coordinator[verb](CALLER, ref, {}));
  }
}

function chooseDependency(chance: Chance, ids: readonly number[]): string {
  if (ids.length === 0 || chance.yes(0.2)) return '';
  const term = () => `${chance.pick(['afterok', 'afterany', 'afternotok', 'aftercorr', 'after'])}:${chance.pick(ids)}`;
  return chance.yes(0.3) ? `${term()}${chance.pick([',', '?'])}${term()}` : term();
}
