import { beforeEach, describe, expect, test } from 'vitest';
import { InstancesAtHand } from '../../../test/support/fake-instances.ts';
import { CALLER } from '../../../test/support/ledger-at-hand.ts';

let at: InstancesAtHand;

beforeEach(async () => {
  at = await InstancesAtHand.open();
  return () => expect(at.errors).toEqual([]);
});

async function resize(count: number): Promise<void> {
  const reply = at.at.coordinator.resize(CALLER, 'compute', count);
  await at.settle();
  await at.obeyAll();
  await at.up();
  await at.pass(11_000);
  await reply;
}

async function ranks(): Promise<number[]> {
  return (await at.list({ state: 'running' })).map(({ rank }) => rank);
}

describe('resize', () => {
  test('up: the next indices, and everybody learns of the size', async () => {
    const id = await at.submit();
    await at.up();
    await resize(5);
    expect(await ranks()).toEqual([0, 1, 2, 3, 4]);
    expect(at.agent('compute-4').order).toMatchObject({ index: 4, rank: 4, size: 5 });
    expect(at.agent('compute-0').directive.size).toBe(5);
    expect((await at.list())[0]).toMatchObject({ arraySize: 5, tags: { 'spawn:job-array-size': '5' } });
    expect(at.agent('compute-4').holdsTask).toBe(true);
    const { members, version } = await at.at.coordinator.peers(CALLER, at.agent('compute-0').worker.sessionId);
    expect(members).toHaveLength(5);
    expect(version).toBe(at.agent('compute-0').directive.peers);
    expect(at.events('arrayResized')).toEqual([{ from: 3, to: 5 }]);
    await at.restart();
    expect(at.at.states(id)).toHaveLength(5);
    expect((await at.list())[0]!.arraySize).toBe(5);
  });

  test('down: the highest go; up again: they come back under their names', async () => {
    const id = await at.submit();
    await at.up();
    await resize(1);
    expect(await ranks()).toEqual([0]);
    expect(await at.states()).toEqual([
      'compute-0 running',
      'compute-1 terminated resized',
      'compute-2 terminated resized',
    ]);
    expect(at.agent('compute-0').directive.size).toBe(1);
    await at.restart();
    expect((await at.list())[0]!.arraySize).toBe(1);
    await at.submit({ name: 'other', array: '0-0' });
    for (const agent of at.agents.values()) agent.worker.connect();
    await resize(4);
    expect(at.running.toSorted()).toEqual(['compute-0', 'compute-1', 'compute-2', 'compute-3', 'other-0']);
    expect(at.at.states(id)).toHaveLength(4);
  });

  test('up: tells of those that come', async () => {
    await at.submit();
    await at.up();
    const { members } = await at.at.coordinator.resize(CALLER, 'compute', 5);
    expect(members).toMatchObject([
      { name: 'compute-3', state: 'pending', changed: true, acknowledged: true },
      { name: 'compute-4', state: 'pending', changed: true, acknowledged: true },
    ]);
  });

  test('to what it is does nothing', async () => {
    await at.submit();
    await at.up();
    expect(await at.at.coordinator.resize(CALLER, 'compute', 3)).toEqual({ members: [] });
    expect(at.events('arrayResized')).toEqual([]);
  });

  test('is refused for what is no array, of another owner, or without parameters for all', async () => {
    await at.submit({ name: 'one', array: '0-0' }, { standalone: true });
    await expect(at.at.coordinator.resize(CALLER, 'one', 2)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await at.submit({}, { params: [{ a: '1' }, { a: '2' }, { a: '3' }] });
    await expect(at.at.coordinator.resize(CALLER, 'compute', 4)).rejects.toMatchObject({ details: { where: 'count' } });
    const bob = { ...CALLER, owner: 'bob', role: 'submit' } as const;
    await expect(at.at.coordinator.resize(bob, 'compute', 2)).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
    await expect(at.at.coordinator.resize(CALLER, 'nobody', 2)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });
});

describe('peers', () => {
  test('come when all have run, and change with who runs, at most four times a second', async () => {
    await at.submit();
    const orders = [...at.provider.machines.values()].map(({ order }) => order);
    const { FakeAgent } = await import('../../../test/support/fake-instances.ts');
    const first = await FakeAgent.up(at, orders[0]!);
    await FakeAgent.up(at, orders[1]!);
    await at.settle();
    expect(first.directive.peers).toBe(0);
    await FakeAgent.up(at, orders[2]!);
    await at.settle();
    const { peers } = first.directive;
    expect(peers).toBeGreaterThan(0);
    const reply = await at.at.coordinator.peers(CALLER, first.worker.sessionId);
    expect(reply.members).toMatchObject([
      { index: 0, rank: 0, name: 'compute-0', ip: '127.4.0.0' },
      { index: 1 },
      { index: 2 },
    ]);
    expect(reply.members[0]!.dns).toMatch(/^compute-0\.[0-9a-z]{8}\.spore\.host$/);
    // One stops: the others' document follows, after what is left of the quarter of a second.
    await at.verb('stop', { instance: 'compute-2' });
    await at.settle();
    await at.agent('compute-2').obey(at);
    await at.settle();
    expect(first.directive.peers).toBe(peers);
    at.at.clock.pass(250);
    await at.settle();
    expect(first.directive.peers).toBeGreaterThan(peers);
    expect((await at.at.coordinator.peers(CALLER, first.worker.sessionId)).members).toHaveLength(2);
  });

  test('are told to the agent of a member only', async () => {
    await expect(at.at.coordinator.peers(CALLER, 99)).rejects.toMatchObject({ code: 'SESSION_UNKNOWN' });
    const { WorkerAtHand } = await import('../../../test/support/ledger-at-hand.ts');
    const worker = await WorkerAtHand.join(at.at);
    await expect(at.at.coordinator.peers(CALLER, worker.sessionId)).rejects.toMatchObject({
      code: 'INSTANCE_NOT_FOUND',
    });
  });
});
