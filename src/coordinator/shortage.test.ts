import { beforeEach, describe, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { JobSpec, type JobSpecInput } from '../api/job-spec.ts';
import type { Resources } from '../api/session.ts';
import { moveToLane } from './lanes.ts';

let at: LedgerAtHand;

beforeEach(async () => {
  at = await LedgerAtHand.open();
});

const join = (resources: Partial<Resources>, api = 2) =>
  WorkerAtHand.join(at, { api, resources: { cpus: 2, memoryBytes: 2 ** 30, ...resources } });

/** What a submit says, dry or not. */
async function reasons(spec: Partial<JobSpecInput>): Promise<(string | undefined)[]> {
  const whole = JobSpec.parse({ run: { kind: 'argv', argv: ['true'] }, cwd: '/', ...spec });
  const replies = [true, false].map((dryRun) => at.coordinator.submit(CALLER, { spec: whole, dryRun }));
  return (await Promise.all(replies)).map(({ job }) => job.reason);
}

describe('a job that no connected worker can ever run', () => {
  test.each<[string, Partial<JobSpecInput>]>([
    ['no connected worker has 500 CPUs (the largest has 8)', { cpus: 500 }],
    ['no connected worker has 1T of memory (the largest has 1G)', { memoryBytes: 2 ** 40 }],
    ['no connected worker has 3 GPUs (the largest has 1)', { gpus: 3 }],
    ['no connected worker offers 2 licence (the largest offers 0.5)', { resources: { licence: 2 } }],
    ['no connected worker offers 0.1 other (none offers any)', { resources: { other: 0.1 } }],
    ['no connected worker has all of it at once: 8 CPUs, 1 GPU', { cpus: 8, gpus: 1 }],
    [
      'no connected worker has all of it at once: 8 CPUs, 1K of memory, 0.5 GPUs, 0.5 licence',
      { cpus: 8, gpus: 0.5, memoryBytes: 1024, resources: { licence: 0.5, disk: 0 } },
    ],
  ])('is taken, and says %s', async (reason, spec) => {
    await join({ cpus: 8 });
    await join({ gpus: 1, named: { licence: 0.5 } });
    const whole = `${reason}; it waits until one connects`;
    expect(await reasons(spec)).toEqual([whole, whole]);
    expect((await reasons({ ...spec, hold: true }))[0]).toBe(`held by a user; ${whole}`);
    expect((await reasons({ ...spec, after: 'afterok:1' }))[0]).toBe(`waiting for a dependency; ${whole}`);
  });

  test('says so when the workers are of an older release, and when none has any GPU', async () => {
    await join({ gpus: 4 }, 1);
    const old = 'no connected worker is of a release that can run it (API 2 or newer); it waits until one connects';
    expect(await reasons({ gpus: 1 })).toEqual([old, old]);
    await join({});
    expect((await reasons({ gpus: 1 }))[0]).toContain('1 GPU (none has any)');
  });

  test('says so when some of its tasks were changed, and no more when a worker comes that is large enough', async () => {
    const id = await at.submit({ array: '0-1', hold: true });
    await join({ cpus: 1 });
    await at.ledger.write((world) => moveToLane(world, at.job(id), [[1, 1]], { cpus: 16 }));
    const reason = async () => (await at.coordinator.job(CALLER, String(id))).reason;
    expect(await reason()).toContain('no connected worker has 16 CPUs (the largest has 1)');
    await at.coordinator.release(CALLER, String(id), {});
    await at.ledger.idle();
    // One of its tasks runs: nobody asks why.
    expect(at.states(id)).toEqual(['leased', 'ready']);
    const large = await join({ cpus: 16 });
    expect(large.told('grant')).toHaveLength(1);
  });

  test('says nothing of workers while there is none', async () => {
    expect(await reasons({ cpus: 500 })).toEqual(['no worker is connected', 'no worker is connected']);
    expect(await reasons({ cpus: 500, hold: true })).toEqual(['held by a user', 'held by a user']);
  });
});

describe('a job that waits for what is taken', () => {
  test.each<[string, Partial<JobSpecInput>, Partial<JobSpecInput>]>([
    ['CPUs', { cpus: 2 }, {}],
    ['memory', { memoryBytes: 2 ** 30 }, { memoryBytes: 1 }],
    ['GPUs', { gpus: 1 }, { gpus: 0.5 }],
    ['licence', { resources: { licence: 1 } }, { resources: { licence: 0.25 } }],
    ['slots, CPUs', { array: '0-1', cpus: 1 }, { cpus: 0.5 }],
  ])('names %s', async (names, first, second) => {
    await join({ gpus: 1, named: { licence: 1 }, slots: 2 });
    await at.submit(first);
    expect((await reasons(second))[0]).toBe(`waiting for resources: free ${names}`);
  });

  test('has nothing to name when there is room, until the next pass', async () => {
    await join({});
    expect((await reasons({}))[0]).toBe('waiting for resources');
  });
});

test('a worker is shown with what it offers and what of it is free', async () => {
  await join({ gpus: 2, named: { licence: 1.5 }, slots: 9 });
  await join({}, 1);
  await at.submit({ array: '0-1', cpus: 0.5, memoryBytes: 1024, gpus: 0.5, resources: { licence: 0.3 } });
  await at.ledger.idle();
  const { sessions } = await at.coordinator.server(CALLER);
  expect(sessions[0]).toMatchObject({
    resources: { cpus: 2, memoryBytes: 2 ** 30, gpus: 2, named: { licence: 1.5 }, slots: 9 },
    freeCpus: 1,
    freeMemoryBytes: 2 ** 30 - 2048,
    freeGpus: 1,
    freeNamed: { licence: 0.9 },
    version: 'test',
    api: 2,
  });
  expect(sessions[1]).toMatchObject({ resources: { cpus: 2, memoryBytes: 2 ** 30 }, freeCpus: 2, api: 1 });
  expect(sessions[1]).not.toHaveProperty('freeGpus');
  const [job] = (await at.coordinator.jobs(CALLER, { show: 'live', limit: 10 })).jobs;
  expect(job).toMatchObject({ gpus: 0.5, resources: { licence: 0.3 } });
});
