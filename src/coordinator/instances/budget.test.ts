import { beforeEach, describe, expect, test } from 'vitest';
import { CANCELLED, InstancesAtHand } from '../../../test/support/fake-instances.ts';
import { CALLER } from '../../../test/support/ledger-at-hand.ts';
import { monthStart } from '../../core/instance-cost.ts';
import { rateOf } from '../../core/instance-types.ts';

const RATE = rateOf('t3.micro', 'local', false);
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const costOf = (ms: number) => (RATE * ms) / 3_600_000;

let at: InstancesAtHand;

beforeEach(async () => {
  at = await InstancesAtHand.open({}, { retentionMs: DAY_MS });
  return () => expect(at.errors).toEqual([]);
});

const spent = async () => (await at.at.coordinator.budget(CALLER)).spent;
const set = (amount: number, period: 'month' | 'total' = 'month') =>
  at.at.coordinator.setBudget(CALLER, { amount, period });

/** One instance that runs for so long, and ends. */
async function runOne(ms: number): Promise<void> {
  await at.submit({ array: '0-0' });
  await at.up();
  await at.agent('compute-0').start();
  await at.pass(ms);
  await at.agent('compute-0').leave(at, { state: 'terminated', reason: 'ttl' }, CANCELLED);
  await at.settle();
}

/** So that no month ends meanwhile. */
async function atBeginOfMonth(): Promise<void> {
  const { clock } = at.at;
  clock.pass(monthStart(monthStart(clock.nowMs) + 40 * DAY_MS) - clock.nowMs + 1_000);
  await at.settle();
}

describe('what was spent this month stays spent', () => {
  beforeEach(async () => {
    await atBeginOfMonth();
    await set(1);
    await runOne(MINUTE_MS);
    expect(await spent()).toBeCloseTo(costOf(MINUTE_MS), 9);
  });

  test('when its job is removed for ever', async () => {
    const all = { olderThanMs: 0, keep: 0, dryRun: false };
    // The store first; logs, of which there are none here, after it.
    await at.at.coordinator.prune(CALLER, all).catch(() => {});
    expect(await at.list()).toEqual([]);
    expect(await spent()).toBeCloseTo(costOf(MINUTE_MS), 9);
    await at.restart();
    expect(await spent()).toBeCloseTo(costOf(MINUTE_MS), 9);
  });

  test('when it is listed no more, and then the amount is another one', async () => {
    at.at.clock.pass(2 * DAY_MS);
    await at.pass(31_000);
    expect(await at.list()).toEqual([]);
    await set(2);
    expect(await spent()).toBeCloseTo(costOf(MINUTE_MS), 9);
    await at.restart();
    expect(await spent()).toBeCloseTo(costOf(MINUTE_MS), 9);
  });

  test('when nobody was there while it was to be forgotten', async () => {
    await at.at.coordinator.stop();
    at.at.clock.pass(2 * DAY_MS);
    await at.at.restart();
    at.start();
    await at.settle();
    expect(await spent()).toBeCloseTo(costOf(MINUTE_MS), 9);
    await at.pass(31_000);
    expect(await at.list()).toEqual([]);
    expect(at.at.disk.content.instances.size).toBe(0);
    expect(await spent()).toBeCloseTo(costOf(MINUTE_MS), 9);
  });
});

test('a month begins anew for what runs on', async () => {
  await atBeginOfMonth();
  await set(1_000);
  await at.submit({ array: '0-0' });
  await at.up();
  await at.pass(5 * MINUTE_MS);
  const { clock } = at.at;
  const next = monthStart(clock.nowMs + 31 * DAY_MS);
  clock.pass(next - clock.nowMs - 1_000);
  await at.pass(61_000);
  await at.agent('compute-0').report();
  await at.settle();
  expect(await spent()).toBeCloseTo(costOf(MINUTE_MS), 6);
  await at.restart();
  expect(await spent()).toBeCloseTo(costOf(MINUTE_MS), 6);
});

test('that it is nearly used up is told once, over restarts too', async () => {
  await atBeginOfMonth();
  await runOne(MINUTE_MS);
  await set(costOf(MINUTE_MS) * 1.1);
  await at.pass(2_000);
  expect(at.events('budgetNearlyUsedUp')).toHaveLength(1);
  await at.restart();
  await at.pass(2_000);
  expect(at.events('budgetNearlyUsedUp')).toHaveLength(1);
  await set(costOf(MINUTE_MS));
  await at.pass(2_000);
  expect(at.events('budgetUsedUp')).toHaveLength(1);
});

test('what an agent may think it has counts while a budget is taken away and set again', async () => {
  await at.submit({ array: '0-0', name: 'first' });
  await at.up();
  const rows = () => [...at.at.ledger.memory.instances.rows.values()];
  at.agent('first-0').worker.disconnect();
  await set(1, 'total');
  await at.settle();
  // It has heard of no limit: nobody else may spend anything before it has.
  expect(rows()[0]).toMatchObject({ unbounded: true });
  await at.submit({ array: '0-0', name: 'second' });
  await at.pass(5_000);
  expect(at.running).toEqual(['first-0']);
  const { blockers } = await at.at.coordinator.why(CALLER, 'second');
  expect(blockers[0]!.text).toContain('waits until others have given up some of their share of the budget');
  await at.restart();
  expect(rows()[0]).toMatchObject({ unbounded: true });
  const worker = at.agent('first-0').worker;
  worker.connect();
  await at.settle();
  await at.agent('first-0').report();
  await at.settle();
  expect(rows()[0]!.unbounded).toBeUndefined();
  expect(at.running).toEqual(['first-0', 'second-0']);
  await at.up();
  await at.at.coordinator.setBudget(CALLER, { amount: null, period: 'total' });
  await at.settle();
  expect(rows().map(({ costShare }) => costShare)).toEqual([undefined, undefined]);
  await set(1, 'total');
  expect(rows().map(({ unbounded }) => unbounded)).toEqual([true, true]);
});

test('what machines cost that are listed no more counts against the limit of their array, also after a restart', async () => {
  const limit = costOf(10 * MINUTE_MS);
  const id = await at.submit({ array: '0-1' }, { costLimit: limit });
  await at.up();
  for (const index of [0, 1]) {
    await at.agent(`compute-${index}`).start();
    await at.pass(MINUTE_MS);
    await at.agent(`compute-${index}`).leave(at, { state: 'terminated', reason: 'user' }, CANCELLED);
  }
  at.at.clock.pass(2 * DAY_MS);
  await at.pass(62_000);
  expect(await at.list()).toEqual([]);
  const ended = () => at.at.ledger.memory.instances.arrays.get(id)!.endedCost;
  expect(ended()).toBeCloseTo(costOf(3 * MINUTE_MS), 9);
  await at.restart();
  expect(ended()).toBeCloseTo(costOf(3 * MINUTE_MS), 9);
  expect(await at.list()).toEqual([]);
  await at.at.coordinator.retry(CALLER, `${id}_0`, {});
  await at.settle();
  await at.up();
  const [row] = await at.list();
  expect(row).toMatchObject({ name: 'compute-0', state: 'running' });
  expect(at.at.ledger.memory.instances.rows.get(row!.id)!.costShare).toBeCloseTo(costOf(7 * MINUTE_MS), 9);
  // One row stays for that, and goes with its job.
  await at.agent('compute-0').leave(at, { state: 'terminated', reason: 'user' }, CANCELLED);
  at.at.clock.pass(2 * DAY_MS);
  await at.pass(62_000);
  expect(at.at.disk.content.instances.size).toBe(1);
  expect(ended()).toBeCloseTo(costOf(3 * MINUTE_MS), 9);
  await at.at.coordinator.prune(CALLER, { olderThanMs: 0, keep: 0, dryRun: false }).catch(() => {});
  expect(at.at.disk.content.instances.size).toBe(0);
});

test('a launch under a cap that cannot be written down waits until it can be', async () => {
  let refuses = 0;
  at = await InstancesAtHand.open({
    hooks: {
      beforeCommit: ({ instances = [] }) =>
        refuses > 0 && instances.some(({ detail }) => detail.includes('"asked":true')) && refuses-- > 0 ? 'fail' : 'ok',
    },
  });
  await set(1, 'total');
  refuses = 2;
  await at.submit({ array: '0-0' });
  expect(at.running).toEqual([]);
  await at.pass(10_000);
  expect(refuses).toBe(0);
  expect(at.running).toEqual(['compute-0']);
  expect(at.provider.launches).toBe(1);
  expect((await at.list()).map(({ state, generation }) => `${generation} ${state}`)).toEqual(['1 pending']);
  at.errors.length = 0;
});
