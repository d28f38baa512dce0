import { beforeEach, describe, expect, test } from 'vitest';
import { CANCELLED, InstancesAtHand } from '../../../test/support/fake-instances.ts';
import { CALLER } from '../../../test/support/ledger-at-hand.ts';
import { rateOf } from '../../core/instance-types.ts';

const RATE = rateOf('t3.micro', 'local', false);
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** USD that one instance costs in a second. */
const TICK = RATE / 3_600;

let at: InstancesAtHand;

beforeEach(async () => {
  at = await InstancesAtHand.open();
  return () => expect(at.errors).toEqual([]);
});

async function spent(): Promise<number> {
  return (await at.at.coordinator.cost(CALLER, {})).total.cost;
}

/** Agents end themselves when they have used up their share, look once a second, and report what they ran. */
async function run(ms: number, most: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    await at.pass(1_000);
    for (const agent of [...at.agents.values()]) {
      const { costShare, wanted } = agent.directive;
      const cost = (agent.ranMs / HOUR_MS) * RATE;
      if (wanted === 'terminated') await agent.obey(at);
      else if (costShare !== undefined && cost >= costShare)
        await agent.leave(at, { state: 'terminated', reason: 'cost-limit' }, CANCELLED);
      else await agent.report();
    }
    await at.settle();
    expect(await spent()).toBeLessThanOrEqual(most + (10 * RATE * 1_000) / HOUR_MS);
  }
}

describe('a cost limit', () => {
  const limit = 10 * RATE * (MINUTE_MS / HOUR_MS);

  test('is split among the members, and never passed by more than one look', async () => {
    await at.submit({ array: '0-9' }, { costLimit: limit });
    await at.up();
    const shares = [...at.agents.values()].map((agent) => agent.directive.costShare!);
    // Each is told a second less than its share.
    expect(shares.reduce((sum, share) => sum + share + TICK, 0)).toBeCloseTo(limit, 9);
    await run(2 * MINUTE_MS, limit);
    expect(await at.states({ state: 'running' })).toEqual([]);
    expect((await at.list()).every(({ reason }) => reason === 'cost-limit')).toBe(true);
    expect(await spent()).toBeGreaterThan(limit * 0.95);
    expect(at.running).toEqual([]);
  });

  test('what a member leaves over goes to the others', async () => {
    await at.submit({ array: '0-1' }, { costLimit: limit });
    await at.up();
    const before = at.agent('compute-0').directive.costShare!;
    await at.agent('compute-1').leave(at, { state: 'terminated', reason: 'user' }, CANCELLED);
    await at.settle();
    expect(before + TICK).toBeCloseTo(limit / 2, 9);
    expect(at.agent('compute-0').directive.costShare! + TICK).toBeCloseTo(limit, 9);
  });

  test('holds when agents are away: the provider ends what has used up its share', async () => {
    await at.submit({ array: '0-9' }, { costLimit: limit });
    await at.up();
    for (const agent of at.agents.values()) agent.worker.disconnect();
    at.agents.clear();
    // What the first leave over goes to the others.
    await at.pass(3 * MINUTE_MS);
    expect(at.running).toEqual([]);
    expect(await spent()).toBeLessThanOrEqual(limit);
    expect((await at.list())[0]).toMatchObject({ reason: 'cost-limit', task: 'cancelled' });
  });

  test('leaves something for those that are launched later, and refuses them when nothing is left', async () => {
    const id = await at.submit({ array: '0-9', throttle: 1 }, { costLimit: limit });
    await at.up();
    expect(at.agent('compute-0').directive.costShare! + TICK).toBeCloseTo(limit / 10, 9);
    for (let round = 0; round < 12; round++) {
      await run(15_000, limit);
      await at.up();
    }
    for (let round = 0; round < 10; round++) {
      await run(MINUTE_MS, limit);
      await at.up();
    }
    expect(await spent()).toBeGreaterThan(limit * 0.9);
    expect(at.at.ledger.memory.jobs.get(id)?.job.finished ?? true).toBe(true);
    expect(at.at.ledger.memory.instances.isLive(id)).toBe(false);
  });
});

describe('a budget', () => {
  test('holds over all arrays of its owner, and refuses a launch when it is used up', async () => {
    const amount = 2 * RATE * (MINUTE_MS / HOUR_MS);
    await at.at.coordinator.setBudget(CALLER, { amount, period: 'total' });
    await at.submit({ array: '0-0' });
    await at.submit({ name: 'other', array: '0-0' });
    await at.up();
    const shares = () => [...at.agents.values()].map((agent) => agent.directive.costShare ?? Number.NaN);
    // The first is told its smaller share first, and the second gets the rest once that is acknowledged.
    for (const agent of at.agents.values()) await agent.report();
    await at.settle();
    await at.up();
    expect(at.agents.size).toBe(2);
    for (const agent of at.agents.values()) await agent.report();
    await at.settle();
    expect(shares().reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(amount * 1.000001);
    expect(Math.min(...shares())).toBeGreaterThan(amount * 0.4);
    await run(2 * MINUTE_MS, amount);
    expect(at.running).toEqual([]);
    expect((await at.list()).map(({ reason }) => reason)).toEqual(['budget', 'budget']);
    expect(at.events('budgetNearlyUsedUp')).toHaveLength(1);
    await expect(at.submit({ name: 'third', array: '0-0' })).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' });
    await at.at.coordinator.setBudget(CALLER, { amount: null, period: 'month' });
    await at.submit({ name: 'third', array: '0-0' });
    expect(at.running).toEqual(['third-0']);
  });

  test('set while instances run, and by the month, counts from the first', async () => {
    await at.submit({ array: '0-0' });
    await at.up();
    await at.pass(60_000);
    await at.at.coordinator.setBudget(CALLER, { amount: 1, period: 'total' });
    expect(await at.at.coordinator.budget(CALLER)).toMatchObject({ amount: 1, spent: 0, rate: RATE });
    await at.at.coordinator.setBudget(CALLER, { amount: 1, period: 'month' });
    const { spent: month } = await at.at.coordinator.budget(CALLER);
    expect(month).toBeCloseTo((60_000 / HOUR_MS) * RATE, 9);
    await at.restart();
    expect((await at.at.coordinator.budget(CALLER)).spent).toBeCloseTo(month, 9);
  });

  test('none', async () => {
    expect(await at.at.coordinator.budget(CALLER)).toEqual({ owner: '1000', period: 'month', spent: 0, rate: 0 });
  });
});

test('what it cost: by array and by member, what failed, and what is to come', async () => {
  await at.submit({ array: '0-1' }, { ttlMs: 2 * HOUR_MS, spot: true });
  await at.up();
  await at.pass(600_000);
  await at.agent('compute-1').leave(at, { state: 'terminated', reason: 'ttl' }, CANCELLED);
  await at.pass(600_000);
  const { arrays, total, pricesOf } = await at.at.coordinator.cost(CALLER, { arrayName: 'compute' });
  const spot = rateOf('t3.micro', 'local', true);
  expect(pricesOf).toMatch(/^20\d\d-\d\d-\d\d$/);
  expect(arrays[0]).toMatchObject({ name: 'compute', instances: 2, running: 1, rate: spot });
  expect(total.ranMs).toBe(1_800_000);
  expect(total.cost).toBeCloseTo(spot / 2, 9);
  expect(total.onDemand).toBeCloseTo(RATE / 2, 9);
  expect(total.failed).toBeCloseTo(spot / 6, 9);
  expect(arrays[0]!.forecast).toBeCloseTo(spot * (1 / 6 + 2), 3);
  expect(arrays[0]!.members.map(({ name }) => name)).toEqual(['compute-0', 'compute-1']);
  await expect(at.at.coordinator.cost(CALLER, { arrayName: 'nobody' })).rejects.toMatchObject({
    code: 'INSTANCE_NOT_FOUND',
  });
  expect((await at.at.coordinator.cost(CALLER, { job: '1_1' })).arrays[0]!.members).toHaveLength(1);
});

test('what failed stays a cost of failure when another machine does its task', async () => {
  await at.submit({ array: '0-0' });
  await at.up();
  await at.agent('compute-0').start();
  await at.pass(600_000);
  await at.agent('compute-0').end(3);
  await at.agent('compute-0').leave(at, { state: 'terminated', reason: 'completed' });
  const spent = async () => (await at.at.coordinator.cost(CALLER, { arrayName: 'compute' })).total;
  expect((await spent()).failed).toBeCloseTo(RATE / 6, 9);
  await at.at.coordinator.retry(CALLER, '1', {});
  await at.settle();
  await at.up();
  await at.agent('compute-0').start();
  await at.pass(600_000);
  await at.agent('compute-0').end();
  await at.agent('compute-0').leave(at, { state: 'terminated', reason: 'completed' });
  expect((await at.list()).map(({ generation }) => generation)).toEqual([1, 2]);
  const { cost, failed } = await spent();
  expect(cost).toBeCloseTo(RATE / 3, 9);
  expect(failed).toBeCloseTo(RATE / 6, 9);
});

test('a job without machines has cost nothing', async () => {
  const id = await at.submit({ array: '0-9' }, { costLimit: 0.0000001 });
  expect(await at.at.coordinator.cost(CALLER, { job: String(id) })).toMatchObject({ arrays: [], total: { cost: 0 } });
});

test('that a cost limit is nearly used up, and used up, is told once, also over a restart', async () => {
  const limit = RATE * (MINUTE_MS / HOUR_MS);
  await at.submit({ array: '0-0' }, { costLimit: limit });
  await at.up();
  for (let second = 0; second < 50; second++) {
    await at.pass(1_000);
    await at.agent('compute-0').report();
  }
  expect(at.events('costLimitNearlyUsedUp')).toMatchObject([{ by: 'cost-limit', limit }]);
  expect(at.events('costLimitReached')).toEqual([]);
  await at.restart();
  await at.pass(3_000);
  await at.verb('terminate', { instance: 'compute-0' });
  expect(at.events('costLimitNearlyUsedUp')).toHaveLength(1);
});

test('that a cost limit is used up is told when the first machine ends for it', async () => {
  await at.submit({ array: '0-2' }, { costLimit: RATE * (MINUTE_MS / HOUR_MS) });
  await at.up();
  for (const index of [0, 1])
    await at.agent(`compute-${index}`).leave(at, { state: 'terminated', reason: 'cost-limit' }, CANCELLED);
  await at.settle();
  expect(at.events('costLimitReached')).toMatchObject([{ by: 'cost-limit' }]);
});

test('a machine that ended itself for its share with everybody away is not called lost', async () => {
  await at.submit({ array: '0-0' }, { costLimit: RATE * (MINUTE_MS / HOUR_MS) });
  await at.up();
  const [id] = at.provider.machines.keys();
  at.agent('compute-0').worker.disconnect();
  await at.at.coordinator.stop();
  at.at.clock.pass(10 * MINUTE_MS);
  at.provider.machines.delete(id!);
  await at.restart();
  await at.pass(2_000);
  const [row] = await at.list();
  expect(row).toMatchObject({ state: 'terminated', reason: 'cost-limit', task: 'cancelled' });
  // Not for the time in which nothing ran.
  expect(row!.cost).toBeLessThanOrEqual(RATE * (MINUTE_MS / HOUR_MS));
});
