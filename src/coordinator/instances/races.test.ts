import { beforeEach, describe, expect, test } from 'vitest';
import { CANCELLED, FakeAgent, InstancesAtHand, PREEMPTED } from '../../../test/support/fake-instances.ts';
import { CALLER } from '../../../test/support/ledger-at-hand.ts';
import { rateOf } from '../../core/instance-types.ts';

const RATE = rateOf('t3.micro', 'local', false);
const ONE = { instance: 'compute-0' };

let at: InstancesAtHand;

beforeEach(async () => {
  at = await InstancesAtHand.open();
  return () => expect(at.errors).toEqual([]);
});

async function launch(instances: Record<string, unknown> = {}, array = '0-0'): Promise<number> {
  const id = await at.submit({ array }, instances);
  await at.up();
  return id;
}

describe('a start that comes while it goes to rest', () => {
  test('after a stop: it is launched again as soon as it has stopped', async () => {
    await launch();
    const agent = at.agent('compute-0');
    await agent.start();
    await at.verb('stop', ONE);
    await at.settle();
    await agent.report({ state: 'stopping', reason: 'user' });
    await at.verb('start', ONE);
    await at.settle();
    expect(agent.directive.wanted).toBe('running');
    // It has heard of it, and can no longer turn back.
    await agent.leave(at, { state: 'stopped', reason: 'user' }, PREEMPTED);
    await at.settle();
    expect(at.provider.calls).toEqual(['launch compute-0', 'launch compute-0']);
    for (const machine of at.provider.machines.values()) machine.state = 'up';
    await at.up();
    expect(await at.states()).toEqual(['compute-0 running']);
  });

  test('after a stop whose beginning nobody was told of', async () => {
    await launch();
    const agent = at.agent('compute-0');
    await at.verb('stop', ONE);
    await at.verb('start', ONE);
    await at.settle();
    await agent.leave(at, { state: 'stopped', reason: 'user' }, PREEMPTED);
    await at.settle();
    expect(at.provider.calls).toEqual(['launch compute-0', 'launch compute-0']);
  });

  test('after a hibernation', async () => {
    await launch();
    const agent = at.agent('compute-0');
    await at.verb('hibernate', ONE);
    await at.verb('start', ONE);
    await at.settle();
    await agent.report({ state: 'hibernated', reason: 'user' });
    await at.settle();
    expect(agent.directive.wanted).toBe('running');
  });

  test('what it does by itself, knowing all that was wanted, stays so', async () => {
    await launch();
    const agent = at.agent('compute-0');
    await agent.report({ state: 'stopping', reason: 'idle' });
    await agent.leave(at, { state: 'stopped', reason: 'idle' }, PREEMPTED);
    await at.settle();
    expect(await at.states()).toEqual(['compute-0 stopped idle']);
    expect(at.provider.launches).toBe(1);
  });
});

describe('a retry', () => {
  test('while the machine of the attempt before still ends goes to the next machine', async () => {
    const id = await launch();
    const agent = at.agent('compute-0');
    await agent.start();
    await at.verb('terminate', ONE);
    await agent.worker.say({ draining: true });
    await agent.end(CANCELLED);
    await agent.report({ state: 'shutting-down', reason: 'user' });
    await at.settle();
    expect(at.at.states(id)).toEqual(['cancelled']);
    await at.at.coordinator.retry(CALLER, String(id), {});
    await at.settle();
    expect(at.at.states(id)).toEqual(['ready']);
    await agent.leave(at, { state: 'terminated', reason: 'user' });
    await at.settle();
    expect(at.at.states(id)).toEqual(['ready']);
    expect(at.running).toEqual(['compute-0']);
  });

  test('while a machine that no agent ends is ended by the provider', async () => {
    const id = await launch();
    await at.agent('compute-0').start();
    await at.agent('compute-0').end(1);
    at.agent('compute-0').worker.disconnect();
    await at.verb('terminate', ONE);
    await at.settle();
    await at.at.coordinator.retry(CALLER, String(id), {});
    await at.pass(15_000);
    expect(at.at.states(id)).toEqual(['ready']);
    expect(at.running).toEqual(['compute-0']);
  });

  test('of a whole array leaves away what a resize took away', async () => {
    const id = await launch({}, '0-2');
    for (const agent of at.agents.values()) await agent.start();
    const resized = at.at.coordinator.resize(CALLER, 'compute', 1);
    await at.settle();
    await at.obeyAll();
    await resized;
    await at.agent('compute-0').end(1);
    await at.at.coordinator.retry(CALLER, String(id), {});
    await at.settle();
    expect(at.at.states(id)).toEqual(['leased', 'cancelled', 'cancelled']);
    expect((await at.list())[0]).toMatchObject({ arraySize: 1 });
    expect(at.running).toEqual(['compute-0']);
    // By its number it is meant.
    await at.at.coordinator.retry(CALLER, `${id}_2`, {});
    await at.settle();
    expect(at.running.toSorted()).toEqual(['compute-0', 'compute-2']);
  });
});

test('what waits for a share of the budget has no machine yet, and is not lost', async () => {
  await at.at.coordinator.setBudget(CALLER, { amount: (RATE / 3_600) * 120, period: 'total' });
  await launch();
  await at.agent('compute-0').report();
  at.agent('compute-0').worker.disconnect();
  await at.submit({ name: 'other', array: '0-0' });
  await at.pass(5_000);
  // The first one holds all of it, and does not answer.
  expect(await at.states({ arrayName: 'other' })).toEqual(['other-0 pending']);
  expect(at.provider.launches).toBe(1);
  at.agent('compute-0').worker.connect();
  await at.settle();
  await at.agent('compute-0').report();
  await at.settle();
  expect(at.provider.launches).toBe(2);
});

describe('instances of two owners that have one name', () => {
  const bob = { owner: 'bob', tenant: 'local', sameHost: false, role: 'submit' } as const;

  test('a verb means the one of the caller', async () => {
    await at.submit({ array: '0-0' }, {}, { ...bob, owner: 'ann' });
    await at.submit({ array: '0-0' }, {}, bob);
    await at.up();
    await at.verb('terminate', ONE, {}, bob);
    await at.verb('terminate', { tag: ['spawn:job-array-name=compute'] }, {}, bob);
    await at.settle();
    const [newest, first] = [...at.at.ledger.memory.instances.rows.values()].toReversed();
    expect([newest!.owner, newest!.wanted]).toEqual(['bob', 'terminated']);
    expect([first!.owner, first!.wanted]).toEqual(['ann', 'running']);
    await expect(at.verb('terminate', { instance: first!.id }, {}, bob)).rejects.toMatchObject({
      code: 'NOT_PERMITTED',
    });
  });
});

describe('one of many', () => {
  test('that cannot be ended keeps no other from being ended', async () => {
    await launch({}, '0-2');
    for (const agent of at.agents.values()) agent.worker.disconnect();
    at.agents.clear();
    const { halt } = at.provider;
    at.provider.halt = async (id, how) => {
      if (at.provider.machines.get(id)?.order.name === 'compute-0') throw new Error('busy');
      await halt.call(at.provider, id, how);
    };
    await at.verb('terminate', { arrayName: 'compute' });
    await at.pass(15_000);
    expect(at.running).toEqual(['compute-0']);
    expect(at.errors.length).toBeGreaterThan(0);
    at.errors.length = 0;
    at.provider.halt = halt;
    await at.pass(2_000);
    expect(at.running).toEqual([]);
  });

  test('whose end takes for ever keeps no other from being ended', async () => {
    await launch({}, '0-2');
    for (const agent of at.agents.values()) agent.worker.disconnect();
    at.agents.clear();
    const { halt } = at.provider;
    at.provider.halt = async (id, how) => {
      if (at.provider.machines.get(id)?.order.name === 'compute-0') return await new Promise(() => {});
      await halt.call(at.provider, id, how);
    };
    await at.verb('terminate', { arrayName: 'compute' });
    await at.pass(15_000);
    expect(at.running).toEqual(['compute-0']);
  });

  test('that nobody knows and that cannot be ended keeps no other from being ended', async () => {
    await launch();
    const { order } = at.agent('compute-0');
    for (const id of ['i-00000000000000001', 'i-00000000000000002'])
      at.provider.machines.set(id, { order: { ...order, id, name: id }, state: 'up' });
    const { halt } = at.provider;
    at.provider.halt = async (id, how) => {
      if (id.endsWith('1')) throw new Error('busy');
      await halt.call(at.provider, id, how);
    };
    await at.pass(70_000);
    expect(at.running).toEqual(['compute-0', 'i-00000000000000001']);
    expect(at.errors.length).toBeGreaterThan(0);
    at.errors.length = 0;
  });
});

test('an agent that was told to end comes up again for a start only', async () => {
  await launch();
  const { order } = at.agent('compute-0');
  await at.agent('compute-0').leave(at, { state: 'terminated', reason: 'ttl' }, CANCELLED);
  await at.settle();
  await expect(FakeAgent.up(at, order)).rejects.toMatchObject({ code: 'INSTANCE_NOT_FOUND' });
});

test('user-data is a script that is stored, and no blob of another kind', async () => {
  const userData = 'a'.repeat(64);
  await expect(at.submit({}, { userData })).rejects.toMatchObject({ details: { where: 'spec.instances.userData' } });
});
