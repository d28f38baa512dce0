import { beforeEach, describe, expect, test } from 'vitest';
import { InstancesAtHand } from '../../../test/support/fake-instances.ts';

let at: InstancesAtHand;

beforeEach(async () => {
  at = await InstancesAtHand.open();
  return () => expect(at.errors).toEqual([]);
});

test('every member gets a machine, its task, and its name', async () => {
  const id = await at.submit();
  expect(at.running).toEqual(['compute-0', 'compute-1', 'compute-2']);
  expect(await at.states()).toEqual(['compute-0 pending', 'compute-1 pending', 'compute-2 pending']);
  const [order] = [...at.provider.machines.values()].map((machine) => machine.order);
  expect(order).toMatchObject({ jobId: id, rank: 0, size: 3, address: '127.4.0.0', zone: 'local-a', ttlMs: 0 });
  await at.up();
  expect(await at.states()).toEqual(['compute-0 running', 'compute-1 running', 'compute-2 running']);
  for (const agent of at.agents.values()) expect(agent.holdsTask).toBe(true);
  expect([...at.names.values()].map(({ dns }) => dns.split('.')[0])).toEqual(['compute-0', 'compute-1', 'compute-2']);
  expect(at.events('arrayReady')).toEqual([{ running: 3 }]);
  for (const agent of at.agents.values()) await agent.end();
  await at.settle();
  expect(at.at.states(id)).toEqual(['completed', 'completed', 'completed']);
  // With --on-complete none they run on, and know that nothing comes after.
  expect(at.agent('compute-0').directive).toMatchObject({ wanted: 'running', done: true });
});

describe('a launch that fails', () => {
  test('cleans up after itself: the whole array goes', async () => {
    at.provider.failing.set('compute-1', 'no space left');
    const id = await at.submit();
    await at.up();
    await at.pass(2_000);
    await at.obeyAll();
    await at.pass(2_000);
    expect(await at.states()).toEqual([
      'compute-0 terminated array-failed',
      'compute-1 terminated launch-failed',
      'compute-2 terminated array-failed',
    ]);
    expect(at.running).toEqual([]);
    const [, failed, other] = await at.list();
    expect(other).toMatchObject({ jobId: id, task: 'cancelled', message: '1 of 3 could not be started' });
    expect(failed).toMatchObject({ message: 'no space left', task: 'failed', cost: 0 });
    expect(at.events('instanceLaunchFailed')).toMatchObject([{ name: 'compute-1', message: 'no space left' }]);
    expect(at.events('arrayFailed')).toMatchObject([{ why: '1 of 3 could not be started' }]);
    expect(at.names.size).toBe(0);
  });

  test('is none when enough members run', async () => {
    at.provider.failing.set('compute-1', 'no space left');
    await at.submit({}, { minViable: 2 });
    await at.up();
    expect(await at.states({ state: 'running' })).toEqual(['compute-0 running', 'compute-2 running']);
    // Its peers are those that do.
    expect(at.events('arrayReady')).toEqual([{ running: 2 }]);
  });

  test('leaves the others when it shall', async () => {
    at.provider.failing.set('compute-1', 'no space left');
    const id = await at.submit({}, { onFailure: 'keep' });
    await at.up();
    expect(at.running).toEqual(['compute-0', 'compute-2']);
    // Only what failed is launched by a retry.
    at.provider.failing.clear();
    await at.at.coordinator.retry({ owner: '1000', tenant: 'local', sameHost: true, role: 'admin' }, String(id), {});
    await at.settle();
    await at.up();
    expect(at.running.toSorted()).toEqual(['compute-0', 'compute-1', 'compute-2']);
    expect((await at.list()).map(({ name, generation }) => `${name}/${generation}`)).toEqual([
      'compute-0/1',
      'compute-1/1',
      'compute-1/2',
      'compute-2/1',
    ]);
  });

  test('fails tasks that have not begun, when it shall', async () => {
    at.provider.failing.set('compute-0', 'no space left');
    const id = await at.submit({ throttle: 1 }, { onFailure: 'fail-all' });
    await at.settle();
    expect(at.at.states(id)).toEqual(['failed', 'failed', 'failed']);
    expect(at.running).toEqual([]);
    expect(at.provider.launches).toBe(1);
  });
});

test('when one task fails all others are ended', async () => {
  const id = await at.submit({}, { failAllOnOne: true });
  await at.up();
  await at.agent('compute-2').end(3);
  await at.settle();
  await at.obeyAll();
  expect(at.at.states(id)).toEqual(['cancelled', 'cancelled', 'failed']);
  expect(await at.states()).toEqual([
    'compute-0 terminated array-failed',
    'compute-1 terminated array-failed',
    'compute-2 terminated array-failed',
  ]);
});

test('so many at once, and the next when one has ended', async () => {
  await at.submit({ array: '0-4', throttle: 2 }, { onComplete: 'terminate' });
  await at.up();
  expect(at.running).toEqual(['compute-0', 'compute-1']);
  await at.agent('compute-0').leave(at, { state: 'terminated', reason: 'completed' }, 0);
  await at.settle();
  expect(at.running).toEqual(['compute-1', 'compute-2']);
});

test('with a delay between two launches', async () => {
  await at.submit({}, { launchDelayMs: 5_000 });
  expect(at.provider.launches).toBe(1);
  await at.pass(4_000);
  expect(at.provider.launches).toBe(1);
  await at.pass(1_000);
  expect(at.provider.launches).toBe(2);
  await at.pass(5_000);
  expect(at.provider.launches).toBe(3);
});

test('not while the job is held, nor before what it waits for has ended; the canary first', async () => {
  const held = await at.submit({ hold: true });
  expect(at.provider.launches).toBe(0);
  await at.at.coordinator.release({ owner: '1000', tenant: 'local', sameHost: true, role: 'admin' }, String(held), {});
  await at.settle();
  expect(at.provider.launches).toBe(3);
  await at.submit({ name: 'after', after: `afterok:${held}` });
  expect(at.provider.launches).toBe(3);
  await at.submit({ name: 'careful', canary: 1 });
  expect(at.provider.launches).toBe(4);
});

describe('a coordinator that dies', () => {
  test('between the row and the launch launches it once more, and only then', async () => {
    at.provider.gate = new Promise(() => {});
    await at.submit();
    expect(at.provider.machines.size).toBe(0);
    at.provider.gate = Promise.resolve();
    await at.restart();
    expect(at.running).toEqual(['compute-0', 'compute-1', 'compute-2']);
    expect(at.at.disk.content.instances?.size ?? 3).toBe(3);
    await at.up();
    expect(await at.states({ state: 'running' })).toHaveLength(3);
  });

  test('knows everything again: who runs, which names are taken, when the TTL ends', async () => {
    await at.submit({}, { ttlMs: 3_600_000 });
    await at.up();
    await at.pass(60_000);
    // The name server is in the process that ended.
    at.names.clear();
    await at.restart();
    const [first] = await at.list();
    expect(first).toMatchObject({ state: 'running', ttlLeftMs: 3_540_000, ranMs: 60_000 });
    await expect(at.submit()).rejects.toMatchObject({ code: 'NAME_TAKEN' });
    expect(at.provider.launches).toBe(3);
    expect(at.names.size).toBe(3);
  });
});

test('an orphan is ended, the second time it is seen', async () => {
  await at.submit({ array: '0-0' });
  const [machine] = [...at.provider.machines.values()];
  at.provider.machines.set('i-00000000000000bad', {
    order: { ...machine!.order, id: 'i-00000000000000bad', name: 'orphan' },
    state: 'up',
  });
  await at.pass(30_000);
  expect(at.running).toContain('orphan');
  await at.pass(31_000);
  expect(at.running).toEqual(['compute-0']);
  expect(at.events('orphanReaped')).toEqual([{ instance: 'i-00000000000000bad' }]);
});

test('1,000 members: one launch each, in few commits', async () => {
  await at.submit({ array: '0-999' });
  for (let round = 0; round < 40 && at.provider.launches < 1_000; round++) {
    await at.settle();
    await at.up();
  }
  await at.up();
  expect(at.provider.launches).toBe(1_000);
  expect(await at.states({ state: 'running' })).toHaveLength(1_000);
  expect(at.events('arrayReady')).toEqual([{ running: 1_000 }]);
  const { calls, describes } = at.provider;
  await at.pass(5_000);
  // What is well is not looked at.
  expect(at.provider.describes - describes).toBeLessThanOrEqual(2);
  expect(calls).toHaveLength(1_000);
}, 120_000);

const BAD: readonly (readonly [Record<string, unknown>, Record<string, unknown>, string, RegExp])[] = [
  [{}, { type: 'm9.huge' }, 'BAD_REQUEST', /instance type/],
  [{}, { names: 'worker' }, 'BAD_REQUEST', /\{index\}/],
  [{ name: 'Compute' }, {}, 'BAD_NAME', /DNS label/],
  [{}, { minViable: 4 }, 'BAD_REQUEST', /minViable/],
  [{}, { spotMaxPrice: 1 }, 'BAD_REQUEST', /spotMaxPrice/],
  [{}, { spot: true, spotMaxPrice: 0.0001 }, 'BAD_REQUEST', /spotMaxPrice/],
  [{}, { ttlMs: 5 }, 'BAD_REQUEST', /ttl/],
  [{}, { zone: 'mars-a' }, 'BAD_REQUEST', /zone/],
  [{}, { params: [{ a: '1' }] }, 'BAD_REQUEST', /params/],
  [{ array: '0-100000' }, {}, 'ARRAY_TOO_LARGE', /100000/],
  [{}, { standalone: true }, 'BAD_REQUEST', /1 index/],
];

test.each(BAD)('%j %j is refused, and launches nothing', async (spec, instances, code, words) => {
  await expect(at.submit(spec, instances)).rejects.toMatchObject({ code, message: expect.stringMatching(words) });
  expect(at.provider.launches).toBe(0);
  expect(at.at.ledger.memory.jobs.size).toBe(0);
});

test('names are free when what had them has ended', async () => {
  await at.submit({ array: '0-0' });
  await expect(at.submit({ name: 'other', array: '0-0' }, { names: 'compute-{index}' })).rejects.toMatchObject({
    code: 'NAME_TAKEN',
    details: { what: 'instance', name: 'compute-0' },
  });
  await expect(at.submit({ name: 'other', array: '5-6' }, { dns: 'compute' })).rejects.toMatchObject({
    code: 'NAME_TAKEN',
    details: { what: 'DNS name' },
  });
  await at.verb('terminate', { arrayName: 'compute' });
  await at.pass(2_000);
  expect(at.running).toEqual([]);
  await at.submit({ array: '0-0' });
  expect(at.running).toEqual(['compute-0']);
});
