import { beforeEach, describe, expect, test } from 'vitest';
import { InstancesAtHand, PREEMPTED } from '../../../test/support/fake-instances.ts';
import type { Caller } from '../use-cases.ts';

const BOB: Caller = { owner: 'bob', tenant: 'local', sameHost: false, role: 'submit' };
const ALL = { arrayName: 'compute' };

let at: InstancesAtHand;

beforeEach(async () => {
  at = await InstancesAtHand.open();
  return () => expect(at.errors).toEqual([]);
});

async function launch(instances: Record<string, unknown> = {}): Promise<number> {
  const id = await at.submit({}, instances);
  await at.up();
  return id;
}

test('stop, start and terminate, each twice', async () => {
  const id = await launch({ ttlMs: 3_600_000 });
  for (const agent of at.agents.values()) await agent.start();
  await at.pass(10_000);
  const stop = await at.verb('stop', ALL);
  expect(stop.members.map(({ changed, acknowledged }) => [changed, acknowledged])).toEqual(
    Array(3).fill([true, false]),
  );
  expect((await at.verb('stop', ALL)).members.every(({ changed }) => !changed)).toBe(true);
  await at.obeyAll();
  expect(await at.states()).toEqual(['compute-0 stopped user', 'compute-1 stopped user', 'compute-2 stopped user']);
  expect(at.at.states(id)).toEqual(['ready', 'ready', 'ready']);
  expect(at.names.size).toBe(0);
  // Time in which it is stopped counts neither for its TTL nor for its cost.
  await at.pass(100_000);
  expect((await at.list())[0]).toMatchObject({ ttlLeftMs: 3_590_000, ranMs: 10_000 });
  await at.verb('start', ALL);
  await at.settle();
  for (const machine of at.provider.machines.values()) machine.state = 'up';
  await at.up();
  expect(await at.states()).toEqual(['compute-0 running', 'compute-1 running', 'compute-2 running']);
  expect(at.agent('compute-0').order.ttlMs).toBe(3_590_000);
  expect(at.agent('compute-0').directive.ttlLeftMs).toBeLessThanOrEqual(3_590_000);
  expect(at.agent('compute-0').holdsTask).toBe(true);
  const { arrayId } = (await at.list())[0]!;
  await at.verb('terminate', { arrayId });
  await at.obeyAll();
  const again = await at.verb('terminate', { arrayId });
  expect(again.members.map(({ state, changed, acknowledged }) => [state, changed, acknowledged])).toEqual(
    Array(3).fill(['terminated', false, true]),
  );
  expect((await at.list()).map(({ task }) => task)).toEqual(['cancelled', 'cancelled', 'cancelled']);
  expect(at.running).toEqual([]);
});

test('terminate of an array ends what waits for its turn too, and that of members does not', async () => {
  const id = await at.submit({ array: '0-4', throttle: 2 });
  await at.up();
  await at.verb('terminate', { instance: 'compute-0' });
  await at.obeyAll();
  await at.up();
  expect(at.at.states(id)).toEqual(['cancelled', 'leased', 'leased', 'ready', 'ready']);
  await at.verb('terminate', { arrayName: 'compute', tag: ['array:index=1'] });
  expect(at.at.states(id).slice(3)).toEqual(['ready', 'ready']);
  await at.verb('terminate', ALL);
  expect(at.at.states(id).slice(3)).toEqual(['cancelled', 'cancelled']);
  await at.obeyAll();
  await at.pass(10_000);
  expect((await at.list()).map(({ state }) => state)).toEqual(Array(3).fill('terminated'));
});

test('hibernate keeps the session, parks the TTL, and start thaws', async () => {
  const id = await launch({ ttlMs: 60_000 });
  await at.agent('compute-0').start();
  await at.verb('hibernate', { instance: 'compute-0' });
  await at.settle();
  await at.agent('compute-0').obey(at);
  await at.pass(120_000);
  expect(at.at.states(id)[0]).toBe('running');
  expect((await at.list())[0]).toMatchObject({ state: 'hibernated', ttlLeftMs: 60_000 });
  await at.verb('start', { instance: 'compute-0' });
  await at.settle();
  expect(at.agent('compute-0').directive).toMatchObject({ wanted: 'running', ttlLeftMs: 60_000 });
});

test('hibernate waits for more than a word: what runs on meanwhile says so', async () => {
  await launch();
  const reply = at.verb('hibernate', { instance: 'compute-0' }, { waitMs: 5_000 });
  await at.settle();
  // It has heard of it, and its pre-stop command runs.
  await at.agent('compute-0').report();
  await at.pass(6_000);
  const note = 'it will: its pre-stop command comes first';
  expect((await reply).members).toMatchObject([{ state: 'running', acknowledged: true, note }]);
  await at.agent('compute-0').obey(at);
  expect(await at.states()).toContain('compute-0 hibernated user');
});

test('what an agent says of an end that was asked for is kept', async () => {
  await launch();
  await at.verb('stop', { instance: 'compute-0' });
  await at.verb('terminate', { instance: 'compute-1' });
  await at.settle();
  const message = 'pre-stop: exit 7: no space';
  await at.agent('compute-0').leave(at, { state: 'stopped', reason: 'user', message }, PREEMPTED);
  await at.agent('compute-1').leave(at, { state: 'terminated', reason: 'user', message }, PREEMPTED);
  const [first, second] = await at.list();
  expect([first, second]).toMatchObject([
    { state: 'stopped', reason: 'user', message },
    { state: 'terminated', reason: 'user', message },
  ]);
  await at.verb('start', { instance: 'compute-0' });
  expect((await at.list())[0]).not.toHaveProperty('message');
});

test('an agent that has taken in a start and is still frozen stays wanted', async () => {
  await launch();
  const reply = at.verb('hibernate', { instance: 'compute-0' }, { waitMs: 5_000 });
  await at.settle();
  await at.agent('compute-0').obey(at);
  expect((await reply).members).toMatchObject([{ state: 'hibernated', acknowledged: true }]);
  await at.verb('start', { instance: 'compute-0' });
  await at.settle();
  await at.agent('compute-0').report({ state: 'hibernated' });
  await at.settle();
  expect(at.agent('compute-0').directive.wanted).toBe('running');
  await at.agent('compute-0').report({ state: 'running' });
  expect((await at.states())[0]).toBe('compute-0 running');
});

describe('extend', () => {
  test('moves the one deadline of every member, and waits for its agent', async () => {
    await launch({ ttlMs: 3_600_000 });
    await at.pass(600_000);
    const reply = at.verb('extend', ALL, { byMs: 7_200_000, waitMs: 10_000 });
    await at.settle();
    for (const agent of at.agents.values()) {
      expect(agent.directive.ttlLeftMs).toBe(10_200_000);
      await agent.report({ ttlLeftMs: 10_200_000 });
    }
    await at.settle();
    expect((await reply).members.map(({ acknowledged, ttlLeftMs }) => [acknowledged, ttlLeftMs])).toEqual(
      Array(3).fill([true, 10_200_000]),
    );
    const to = at.verb('extend', { instance: 'compute-1' }, { ttlMs: 60_000, waitMs: 5_000 });
    await at.settle();
    await at.pass(5_000);
    // Nobody answered: it is carried out when it can.
    expect((await to).members).toMatchObject([{ changed: true, acknowledged: false, ttlLeftMs: 55_000 }]);
    expect((await at.list({ instance: 'compute-1' }))[0]!.tags['spawn:ttl']).toBe('1m');
  });

  test('is not undone by a report from before', async () => {
    await launch({ ttlMs: 60_000 });
    const before = at.agent('compute-0').directive.version;
    await at.verb('extend', { instance: 'compute-0' }, { byMs: 60_000 });
    await at.settle();
    await at.agent('compute-0').report({ version: before, ttlLeftMs: 50_000 });
    expect((await at.list())[0]!.ttlLeftMs).toBe(120_000);
  });

  test('of what has no TTL: it lives longer anyway, and one is given only when it is counted from now', async () => {
    await launch();
    const { members } = await at.verb('extend', { instance: 'compute-0' }, { byMs: 1_000 });
    expect(members).toMatchObject([{ changed: false }]);
    expect(members[0]).not.toHaveProperty('note');
    expect((await at.list())[0]!.ttlLeftMs).toBeUndefined();
    await at.verb('extend', { instance: 'compute-0' }, { ttlMs: 5_000 });
    expect((await at.list())[0]!.ttlLeftMs).toBe(5_000);
  });
});

test('a TTL by the wall ends what is stopped, too', async () => {
  await launch({ ttlMs: 60_000, ttlMode: 'wall' });
  await at.verb('stop', ALL);
  await at.obeyAll();
  await at.pass(58_000);
  expect(await at.states({ state: 'stopped' })).toHaveLength(3);
  await at.pass(5_000);
  expect(await at.states()).toEqual([
    'compute-0 terminated ttl',
    'compute-1 terminated ttl',
    'compute-2 terminated ttl',
  ]);
  expect(at.provider.machines.size).toBe(0);
});

test('what runs past its TTL without an agent is ended by the provider', async () => {
  await launch({ ttlMs: 60_000 });
  at.agent('compute-0').worker.disconnect();
  await at.pass(75_000);
  expect((await at.states())[0]).toBe('compute-0 terminated ttl');
  expect(at.running).not.toContain('compute-0');
});

describe('interrupt', () => {
  test('gives the notice, and takes exactly that member', async () => {
    const id = await launch({ spot: true, replacements: 1 });
    for (const agent of at.agents.values()) await agent.start();
    await at.verb('interrupt', { instance: 'compute-1' }, { noticeMs: 5_000 });
    await at.settle();
    expect(at.agent('compute-1').directive).toMatchObject({ interruptInMs: 5_000, wanted: 'running' });
    expect(at.agent('compute-0').directive.interruptInMs).toBeUndefined();
    await at.agent('compute-1').leave(at, { state: 'terminated', reason: 'interrupted' }, PREEMPTED);
    await at.settle();
    expect(at.events('memberInterrupted')).toMatchObject([{ name: 'compute-1', replaced: true }]);
    await at.up();
    expect(await at.states()).toEqual([
      'compute-0 running',
      'compute-1 terminated interrupted',
      'compute-1 running',
      'compute-2 running',
    ]);
    expect(at.agent('compute-1').holdsTask).toBe(true);
    await at.agent('compute-1').leave(at, { state: 'terminated', reason: 'interrupted' }, PREEMPTED);
    await at.settle();
    expect(at.at.states(id)[1]).toBe('cancelled');
  });

  test('is refused for what is on demand', async () => {
    await launch();
    expect((await at.verb('interrupt', ALL)).members[0]).toMatchObject({
      changed: false,
      note: 'only spot instances are interrupted, and this one is on demand',
    });
  });
});

test('replace: same name, index and DNS on another machine, and the attempt counts no failure', async () => {
  const id = await launch();
  await at.agent('compute-1').start();
  const before = at.agent('compute-1').order;
  await at.verb('replace', { arrayName: 'compute', tag: ['array:index=1'] });
  await at.settle();
  expect(at.agent('compute-1').directive).toMatchObject({ wanted: 'terminated', reason: 'replaced' });
  await at.obeyAll();
  await at.up();
  const after = at.agent('compute-1').order;
  expect([after.name, after.index, after.dns]).toEqual([before.name, before.index, before.dns]);
  expect(after.id).not.toBe(before.id);
  expect(at.agent('compute-1').holdsTask).toBe(true);
  expect(at.at.states(id)).toEqual(['leased', 'leased', 'leased']);
});

test('where no agent answers the provider does it', async () => {
  await launch();
  for (const agent of at.agents.values()) agent.worker.disconnect();
  await at.verb('terminate', ALL);
  await at.pass(15_000);
  expect(await at.states()).toEqual([
    'compute-0 terminated user',
    'compute-1 terminated user',
    'compute-2 terminated user',
  ]);
  expect(at.running).toEqual([]);
});

test('an agent that does not obey is overruled', async () => {
  await launch();
  await at.verb('stop', { instance: 'compute-0' });
  await at.pass(60_000);
  expect((await at.states())[0]).toBe('compute-0 stopped user');
  expect(at.provider.calls.at(-1)).toBe('stop compute-0');
});

test('who may, and on what', async () => {
  await launch();
  await expect(at.verb('stop', ALL, {}, BOB)).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
  await expect(at.verb('stop', { instance: 'nobody' })).rejects.toMatchObject({ code: 'INSTANCE_NOT_FOUND' });
  await expect(at.verb('stop', { arrayName: 'x', tag: ['a=b'] })).rejects.toMatchObject({
    details: { ref: '--job-array-name x --tag a=b' },
  });
  await expect(at.verb('extend', ALL)).rejects.toMatchObject({ code: 'BAD_REQUEST', details: { found: 'none' } });
  await expect(at.verb('extend', ALL, { byMs: 1, ttlMs: 1 })).rejects.toMatchObject({ details: { found: 'both' } });
  await expect(at.verb('extend', ALL, { byMs: 0 })).rejects.toMatchObject({ details: { where: 'byMs' } });
  await expect(at.verb('extend', ALL, { ttlMs: 0 })).rejects.toMatchObject({ details: { where: 'ttlMs' } });
  await expect(at.verb('stop', ALL, { byMs: 1 })).rejects.toMatchObject({ details: { where: 'byMs' } });
  await expect(at.verb('stop', ALL, { noticeMs: 1 })).rejects.toMatchObject({ details: { where: 'noticeMs' } });
  expect(at.events('instanceAsked')).toEqual([]);
});

test('several conditions hold together', async () => {
  await launch({ tags: { team: 'blue' } });
  await at.submit({ name: 'other', array: '0-0' }, { tags: { team: 'blue' } });
  const both = await at.verb('stop', { tag: ['team=blue', 'array:name=other'] });
  expect(both.members.map(({ name }) => name)).toEqual(['other-0']);
});
