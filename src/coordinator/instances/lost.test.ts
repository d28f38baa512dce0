import { beforeEach, describe, expect, test } from 'vitest';
import { CANCELLED, FakeAgent, InstancesAtHand, PREEMPTED } from '../../../test/support/fake-instances.ts';
import { CALLER } from '../../../test/support/ledger-at-hand.ts';
import { encodeOutcome } from '../../core/outcome.ts';

let at: InstancesAtHand;

beforeEach(async () => {
  at = await InstancesAtHand.open();
  return () => expect(at.errors).toEqual([]);
});

async function lose(name: string, state: 'down' | 'gone' = 'gone'): Promise<void> {
  const agent = at.agent(name);
  agent.worker.disconnect();
  at.agents.delete(name);
  if (state === 'gone') at.provider.machines.delete(agent.order.id);
  else at.provider.machines.get(agent.order.id)!.state = 'down';
  await at.pass(2_000);
}

test('a machine that is gone is lost, and its task with it', async () => {
  const id = await at.submit();
  await at.up();
  await at.agent('compute-1').start();
  await lose('compute-1');
  expect(at.at.states(id)).toEqual(['leased', 'failed', 'leased']);
  expect(await at.states({ instance: 'compute-1' })).toEqual(['compute-1 terminated lost']);
  expect(at.events('memberLost')).toMatchObject([{ name: 'compute-1', replaced: false }]);
  const { tasks } = await at.at.coordinator.tasks(
    { owner: '1000', tenant: 'local', sameHost: true, role: 'admin' },
    `${id}`,
    { index: '1', limit: 1, after: -1 },
  );
  expect(tasks[0]).toMatchObject({ state: 'failed', reason: 'its instance was lost' });
  // Its name is not known any more, and its peers are the others.
  expect([...at.names.values()].map(({ dns }) => dns.split('.')[0])).toEqual(['compute-0', 'compute-2']);
});

test.each(['down', 'gone'] as const)('a machine that is %s is replaced, as often as is allowed', async (state) => {
  const id = await at.submit({}, { replacements: 1 });
  await at.up();
  await at.agent('compute-1').start();
  const before = at.agent('compute-1').order;
  await lose('compute-1', state);
  expect(at.running.toSorted()).toEqual(['compute-0', 'compute-1', 'compute-2']);
  await at.up();
  const after = at.agent('compute-1').order;
  expect(after).toMatchObject({ name: 'compute-1', index: 1, dns: before.dns });
  expect(after.id).not.toBe(before.id);
  expect(at.agent('compute-1').holdsTask).toBe(true);
  await at.agent('compute-1').start();
  await lose('compute-1', state);
  expect(at.at.states(id)[1]).toBe('failed');
  expect((await at.list({ instance: 'compute-1' })).map(({ reason }) => reason)).toEqual(['lost', 'lost']);
  expect(at.provider.launches).toBe(4);
});

test.each(['down', 'gone'] as const)('a machine that is %s after its TTL has ended by that', async (state) => {
  await at.submit({ array: '0-0' }, { ttlMs: 60_000, replacements: 1 });
  await at.up();
  await at.agent('compute-0').start();
  await at.pass(59_000);
  // Nobody is there but the machine itself, which ends at its own deadline.
  at.agent('compute-0').worker.disconnect();
  await at.pass(4_000);
  await lose('compute-0', state);
  expect(await at.states()).toEqual(['compute-0 terminated ttl']);
  expect((await at.list())[0]!.task).toBe('cancelled');
});

test('a machine whose agent is away for a while is not lost: its session goes on', async () => {
  const id = await at.submit();
  await at.up();
  await at.agent('compute-0').start();
  at.agent('compute-0').worker.disconnect();
  await at.pass(300_000);
  expect(at.at.states(id)[0]).toBe('running');
  at.agent('compute-0').worker.connect();
  await at.agent('compute-0').end();
  expect(at.at.states(id)[0]).toBe('completed');
});

test('a machine that dies before its agent ever answered is lost, too', async () => {
  const id = await at.submit({ array: '0-0' });
  at.provider.machines.clear();
  await at.pass(3_000);
  expect(await at.states()).toEqual(['compute-0 terminated lost']);
  expect((await at.list())[0]).toMatchObject({ task: 'failed', jobId: id });
});

test('a machine that was on its way out when its agent died is removed at once: nothing of it runs', async () => {
  await at.submit();
  await at.up();
  await at.verb('terminate', { instance: 'compute-1' });
  await at.agent('compute-1').report({ state: 'shutting-down', reason: 'user' });
  expect(await at.states({ instance: 'compute-1' })).toEqual(['compute-1 shutting-down user']);
  await lose('compute-1', 'down');
  expect(await at.states({ instance: 'compute-1' })).toEqual(['compute-1 terminated user']);
  expect(at.provider.calls.at(-1)).toBe('terminate compute-1');
  expect(at.provider.machines.size).toBe(2);
});

test('what a machine that could not start has left is removed as soon as that is known', async () => {
  await at.submit({ array: '0-1' });
  const [order] = [...at.provider.machines.values()].map((machine) => machine.order);
  at.provider.machines.get(order!.id)!.state = 'down';
  const agent = await FakeAgent.up(at, order!, false);
  await agent.report({ state: 'terminated', reason: 'launch-failed', message: 'no room' });
  await at.settle();
  expect(await at.states({ instance: 'compute-0' })).toEqual(['compute-0 terminated launch-failed']);
  expect(at.provider.calls.slice(2)).toEqual(['terminate compute-0']);
});

test('a machine that is up and says nothing is given up after a time', async () => {
  await at.submit({ array: '0-0' });
  await at.pass(603_000);
  expect(await at.states()).toEqual(['compute-0 terminated launch-failed']);
  expect((await at.list())[0]!.message).toMatch(/did not answer within 10 minutes/);
  expect(at.running).toEqual([]);
});

describe('by itself an agent', () => {
  test('ends its instance at its TTL: the task is cancelled with the reason', async () => {
    const id = await at.submit({ array: '0-1' }, { ttlMs: 60_000 });
    await at.up();
    await at.agent('compute-0').leave(at, { state: 'terminated', reason: 'ttl' }, CANCELLED);
    await at.settle();
    expect(await at.states()).toEqual(['compute-0 terminated ttl', 'compute-1 running']);
    const why = await at.at.coordinator.tasks(
      { owner: '1000', tenant: 'local', sameHost: true, role: 'admin' },
      `${id}`,
      { index: '0', limit: 1, after: -1 },
    );
    expect(why.tasks[0]).toMatchObject({ state: 'cancelled', reason: 'its instance ended: TTL reached' });
  });

  test('stops it when it is idle: it is not started again before somebody says so', async () => {
    const id = await at.submit({ array: '0-0' }, { idleTimeoutMs: 60_000 });
    await at.up();
    await at.agent('compute-0').leave(at, { state: 'stopped', reason: 'idle' }, PREEMPTED);
    await at.pass(30_000);
    expect(await at.states()).toEqual(['compute-0 stopped idle']);
    expect(at.at.states(id)).toEqual(['ready']);
    expect(at.running).toEqual([]);
    await at.verb('start', { instance: 'compute-0' });
    await at.settle();
    expect(at.provider.launches).toBe(2);
    at.provider.machines.get((await at.list())[0]!.id)!.state = 'up';
    await at.up();
    expect(await at.states()).toEqual(['compute-0 running']);
    expect(at.agent('compute-0').holdsTask).toBe(true);
  });

  test('hibernates it: the coordinator does not wake it', async () => {
    await at.submit({ array: '0-0' }, { onIdle: 'hibernate', idleTimeoutMs: 60_000 });
    await at.up();
    await at.agent('compute-0').report({ state: 'hibernated', reason: 'idle' });
    await at.settle();
    expect(at.agent('compute-0').directive).toMatchObject({ wanted: 'hibernated' });
    const { id } = (await at.list())[0]!;
    await at.verb('start', { instance: id });
    await at.settle();
    expect(at.agent('compute-0').directive).toMatchObject({ wanted: 'running' });
    await at.agent('compute-0').report({ state: 'running' });
    expect(await at.states()).toEqual(['compute-0 running']);
  });

  test('warns, and says what was said inside', async () => {
    await at.submit({ array: '0-0', run: { kind: 'signal' } });
    await at.up();
    await at.agent('compute-0').report({
      warnings: [{ kind: 'ttl', text: 'TTL ends in 5m' }],
      completion: { status: 'success', message: 'all done' },
    });
    await at.settle();
    expect(at.events('instanceTtlWarning')).toMatchObject([{ text: 'TTL ends in 5m' }]);
    expect(at.events('instanceCompleted')).toMatchObject([{ status: 'success' }]);
    expect((await at.list())[0]).toMatchObject({ message: 'all done' });
  });
});

test('a task that was killed for its memory says what its instance has', async () => {
  const id = await at.submit({ array: '0-0' });
  await at.up();
  await at.agent('compute-0').start();
  await at.agent('compute-0').end(encodeOutcome({ kind: 'outOfMemory' }));
  await at.settle();
  const { blockers } = await at.at.coordinator.why(CALLER, `${id}_0`);
  expect(blockers[0]!.text).toContain('failed (out of memory: a t3.micro has 1G)');
});

test('a cancelled task ends its instance', async () => {
  const id = await at.submit();
  await at.up();
  await at.at.coordinator.cancel({ owner: '1000', tenant: 'local', sameHost: true, role: 'admin' }, `${id}_1`, {});
  await at.settle();
  expect(at.agent('compute-1').directive).toMatchObject({ wanted: 'terminated', reason: 'cancelled' });
  await at.obeyAll();
  expect(await at.states()).toEqual(['compute-0 running', 'compute-1 terminated cancelled', 'compute-2 running']);
});

test('a retry after the end launches another machine under the same name', async () => {
  const id = await at.submit({ array: '0-0' }, { onComplete: 'terminate' });
  await at.up();
  await at.agent('compute-0').end(3);
  await at.settle();
  expect(at.agent('compute-0').directive.done).toBe(true);
  await at.agent('compute-0').leave(at, { state: 'terminated', reason: 'completed' });
  await at.settle();
  expect(at.events('arrayCompleted')).toMatchObject([{ counts: { failed: 1 } }]);
  await at.at.coordinator.retry({ owner: '1000', tenant: 'local', sameHost: true, role: 'admin' }, `${id}`, {});
  await at.settle();
  await at.up();
  expect((await at.list()).map(({ generation, state }) => [generation, state])).toEqual([
    [1, 'terminated'],
    [2, 'running'],
  ]);
});
