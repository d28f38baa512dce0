import { beforeEach, describe, expect, test } from 'vitest';
import { CANCELLED, InstancesAtHand } from '../../../test/support/fake-instances.ts';
import { CALLER, HELLO } from '../../../test/support/ledger-at-hand.ts';
import { decodeOutcome } from '../../core/outcome.ts';
import type { Caller } from '../use-cases.ts';

let at: InstancesAtHand;

beforeEach(async () => {
  at = await InstancesAtHand.open();
  return () => expect(at.errors).toEqual([]);
});

describe('what was sent back', () => {
  test('in the same commit in which its machine was told to end gets another machine', async () => {
    const id = await at.submit({ array: '0-0' });
    await at.up();
    const { coordinator } = at.at;
    await Promise.all([at.verb('terminate', { instance: 'compute-0' }), coordinator.cancel(CALLER, `${id}`, {})]);
    // The task was granted and not started: it ends cancelled with its session, and is sent back before anything was looked at.
    await at
      .agent('compute-0')
      .worker.say({ returned: [...at.agent('compute-0').worker.held.keys()].map((one) => [one, 1]) });
    await at.settle();
    expect(at.at.states(id)).toEqual(['cancelled']);
    await coordinator.retry(CALLER, `${id}`, {});
    await at.obeyAll();
    await at.up();
    expect(at.running).toEqual(['compute-0']);
    expect((await at.list()).map(({ generation, state, task }) => `${generation} ${state} ${task}`)).toEqual([
      '1 terminated ',
      '2 running leased',
    ]);
  });

  test('when it waited for its machine and both came at once', async () => {
    const id = await at.submit({ array: '0-0' });
    const { coordinator } = at.at;
    const terminated = at.verb('terminate', { instance: 'compute-0' });
    const retried = coordinator.retry(CALLER, `${id}`, {});
    await Promise.all([terminated, retried]);
    await at.pass(3_000);
    await at.up();
    expect(at.running).toEqual(['compute-0']);
    expect(at.at.states(id)).toEqual(['leased']);
  });
});

test('an attempt whose machine is replaced was preempted, whoever stopped it first', async () => {
  const id = await at.submit({ array: '0-0' });
  await at.up();
  await at.agent('compute-0').start();
  await at.verb('replace', { instance: 'compute-0' });
  await at.settle();
  await at.agent('compute-0').leave(at, { state: 'terminated', reason: 'replaced' }, CANCELLED);
  await at.settle();
  expect(decodeOutcome(at.at.job(id).table.outcomes![0]!)).toEqual({ kind: 'preempted' });
  await at.up();
  await at.agent('compute-0').start();
  await at.agent('compute-0').end(0);
  expect(at.at.states(id)).toEqual(['completed']);
});

test.each([
  ['before its machine is said to be stopped', false],
  ['only once its machine is started again', true],
])('an attempt that a stop ended is lost to nobody, also when that comes out %s', async (_, isLate) => {
  const id = await at.submit({ array: '0-0' });
  await at.up();
  const agent = at.agent('compute-0');
  await agent.start();
  await at.verb('stop', { instance: 'compute-0' });
  await at.settle();
  if (isLate) {
    await agent.report({ state: 'stopped' });
    await at.settle();
    await at.verb('start', { instance: 'compute-0' });
  }
  await at.at.coordinator.bye(CALLER, at.at.ledger.memory.bound.get(agent.order.id)!.session.id);
  await at.settle();
  expect(decodeOutcome(at.at.job(id).table.outcomes![0]!).kind).not.toBe('completed');
  expect(at.at.states(id)[0]).not.toBe('failed');
});

test('a name means what the asker has of that name', async () => {
  const other: Caller = { owner: '2000', tenant: 'local', sameHost: true, role: 'submit' };
  const mine = await at.submit({ array: '0-0' });
  const theirs = await at.submit({ array: '0-0' }, {}, other);
  await at.up();
  const { coordinator } = at.at;
  expect((await coordinator.job(CALLER, 'compute')).id).toBe(mine);
  expect((await coordinator.job(other, 'compute')).id).toBe(theirs);
  expect((await coordinator.why(other, 'compute-0')).ref).toBe(`${theirs}_0`);
  expect((await coordinator.why(CALLER, 'compute-0')).ref).toBe(`${mine}_0`);
  await coordinator.cancel(other, 'compute-0', {});
  await at.settle();
  expect(at.at.states(mine)).toEqual(['leased']);
  await expect(coordinator.job(other, '12_[')).rejects.toMatchObject({ code: expect.any(String) });
});

test('the directive says which index is the last after a resize', async () => {
  await at.submit({ array: '0-3' });
  await at.up();
  await at.obeyAll();
  const first = () => at.agent('compute-0').directive;
  expect(first()).toMatchObject({ size: 4, maxIndex: 3 });
  void at.at.coordinator.resize(CALLER, 'compute', 2);
  await at.settle();
  expect(first()).toMatchObject({ size: 2, maxIndex: 1 });
  void at.at.coordinator.resize(CALLER, 'compute', 6);
  await at.settle();
  expect(first()).toMatchObject({ size: 6, maxIndex: 5 });
});

test('a member that has no machine yet is known by the name that it will have', async () => {
  const id = await at.submit({ array: '5-9', throttle: 1 });
  const { coordinator } = at.at;
  expect((await coordinator.why(CALLER, 'compute-8')).ref).toBe(`${id}_8`);
  await expect(coordinator.why(CALLER, 'compute-4')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  await expect(coordinator.why(CALLER, 'other-8')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
});

test('a task that was sent back while its instance was hibernated runs there after the start', async () => {
  const id = await at.submit({ array: '0-0' });
  await at.up();
  await at.agent('compute-0').start();
  await at.agent('compute-0').end(0);
  await at.verb('hibernate', { instance: 'compute-0' });
  await at.obeyAll();
  await at.at.coordinator.requeue(CALLER, `${id}`, {});
  await at.settle();
  expect(at.at.states(id)).toEqual(['ready']);
  await at.verb('start', { instance: 'compute-0' });
  await at.obeyAll();
  expect(at.at.states(id)).toEqual(['leased']);
});

test('an agent that took over and says at first that it holds nothing loses no attempt: it is told of it', async () => {
  const id = await at.submit({ array: '0-0' });
  await at.up();
  const { worker, order } = at.agent('compute-0');
  await at.agent('compute-0').start();
  worker.disconnect();
  const hello = { ...HELLO, worker: order.name, instance: order.id, bound: { resume: worker.sessionId } };
  const { after } = await at.at.coordinator.hello(CALLER, hello);
  // Before anything was told, another coordinator takes over, too.
  await at.restart();
  const { coordinator } = at.at;
  const nothing = { seq: 1, ack: after!, held: { count: 0, sum: 0 }, heldRuns: [], startedRuns: [] };
  await coordinator.exchange(CALLER, worker.sessionId, nothing);
  await at.settle();
  expect(at.at.states(id)).toEqual(['running']);
  const lines: string[] = [];
  coordinator.stream(CALLER, worker.sessionId, after!, { write: (line) => void lines.push(line), close: () => {} });
  await at.settle();
  expect(lines.filter((line) => line.includes('"grant"'))).toHaveLength(1);
});
