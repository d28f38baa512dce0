import { describe, expect, test } from 'vitest';
import { runningInstance as running, WAITS } from '../../../test/support/agent-on-script.ts';
import { until } from '../../../test/support/until.ts';
import { encodeOutcome } from '../../core/outcome.ts';

const PREEMPTED = encodeOutcome({ kind: 'preempted' });
const CANCELLED = encodeOutcome({ kind: 'cancelled' });
const LOST = encodeOutcome({ kind: 'lost' });
describe('what comes by itself', () => {
  test('TTL: a warning, then the end; the machine holds a deadline of its own behind it', async () => {
    const { world, fence } = await running({ ttlMs: 100_000 }, WAITS, { ttlLeftMs: 100_000 });
    expect(world.box.deadlineMs).toBeGreaterThan(100_000);
    expect(world.box.deadlineMs).toBeLessThan(104_000);
    world.pass(91_000);
    const { warnings } = await world.reported('the warning', (report) => report.warnings !== undefined);
    expect(warnings).toMatchObject([{ kind: 'ttl' }]);
    world.pass(9_100);
    expect(await world.outcome(fence)).toBe(CANCELLED);
    await until('bye', () => world.coordinator.byes.length === 1);
    expect(world.report).toMatchObject({ state: 'terminated', reason: 'ttl' });
  });

  test('extend moves the one deadline', async () => {
    const { world, fence } = await running({ ttlMs: 10_000 }, WAITS, { ttlLeftMs: 10_000 });
    world.direct({ ttlLeftMs: 1_000_000 });
    await world.reported('the directive', ({ version }) => version === 2);
    expect(world.box.deadlineMs).toBeGreaterThan(1_000_000);
    world.pass(500_000);
    world.touch('go');
    expect(await world.outcome(fence)).toBe(0);
    expect(world.report?.state).toBe('running');
  });

  test('cost: it ends itself when its share is spent', async () => {
    // 3.60 USD an hour: four cents in 40 s, of which the last ten pay for the end.
    const { world, fence } = await running({}, WAITS, { costShare: 0.04 });
    world.pass(29_500);
    const { warnings } = await world.reported('the warning', (report) => report.warnings !== undefined);
    expect(warnings).toMatchObject([{ kind: 'cost' }]);
    world.pass(600);
    expect(await world.outcome(fence)).toBe(CANCELLED);
    await until('bye', () => world.coordinator.byes.length === 1);
    expect(world.report).toMatchObject({ state: 'terminated', reason: 'cost-limit' });
  });

  test('cost: all that its end takes is cut to what is left of its share', async () => {
    const deaf = 'trap "" TERM; echo deaf >>"$OUT/ran"; while :; do sleep 0.05; done';
    const { world, fence } = await running({ preStop: 'save', preStopTimeoutMs: 60_000 }, deaf, { costShare: 0.04 });
    await until('its start', () => world.read('ran') !== '');
    // Behind the agent, and KILL comes when the share is used up.
    expect(world.box.deadlineMs).toBeGreaterThan(30_000);
    expect(world.box.deadlineMs).toBeLessThanOrEqual(33_000);
    expect(world.box.deadlineMs! + world.box.lastGraceMs!).toBeGreaterThan(39_000);
    expect(world.box.deadlineMs! + world.box.lastGraceMs!).toBeLessThanOrEqual(40_000);
    world.pass(39_500);
    expect(await world.outcome(fence)).toBe(CANCELLED);
    await until('bye', () => world.coordinator.byes.length === 1);
    const [preStopMs, endMs] = world.box.limitsMs;
    expect(preStopMs).toBe(1_000);
    expect(endMs).toBeLessThanOrEqual(1_000);
    expect(world.box.deadlineMs).toBeLessThanOrEqual(4_000);
  });

  test.each(['stop', 'hibernate', 'terminate'] as const)('idle: %s', async (onIdle) => {
    const { world } = await running({ idleTimeoutMs: 60_000, onIdle });
    await until('the first reading', () => world.box.activityCalls === 1 && world.instance.life.idleForMs === 0);
    for (let calls = 1; calls < 11; calls++) {
      world.pass(6_100);
      await until('a reading', () => world.box.activityCalls > calls);
      await until(
        'it to be taken',
        () => world.instance === undefined || world.instance.life.idleForMs !== undefined || world.box.done.length > 0,
      );
    }
    const state = { stop: 'stopped', hibernate: 'hibernated', terminate: 'terminated' }[onIdle];
    await world.reported(state, (report) => report.state === state);
    expect(world.report?.reason).toBe('idle');
    if (onIdle !== 'hibernate') return;
    // The directive that was there before does not wake it up; the next does.
    world.pass(10_000);
    expect(world.report?.state).toBe('hibernated');
    world.direct();
    await world.reported('running', (report) => report.state === 'running' && report.version === 2);
  });

  test('work, and a login, keep it from being idle', async () => {
    const { world } = await running({ idleTimeoutMs: 60_000 });
    await until('the first reading', () => world.instance.life.idleForMs === 0);
    const reads = async (change: object) => {
      world.box.activity = { ...world.box.activity, ...change };
      const calls = world.box.activityCalls;
      world.pass(50_000);
      await until('a reading', () => world.box.activityCalls > calls && world.instance.life.idleForMs === 0);
    };
    await reads({ cpuUs: 5_000_000 });
    await reads({ diskBytes: 10_000_000 });
    await reads({ networkBytes: 10_000_000 });
    await reads({ logins: 1 });
    expect(world.report?.state).toBe('running');
  });

  test.each([
    ['terminate', 'terminated'],
    ['stop', 'stopped'],
    ['hibernate', 'hibernated'],
  ] as const)('on-complete %s when the command ends well', async (onComplete, state) => {
    const { world, fence } = await running({ onComplete });
    world.touch('go');
    expect(await world.outcome(fence)).toBe(0);
    await world.reported(state, (report) => report.state === state);
    expect(world.report?.reason).toBe('completed');
  });

  test('on-complete none goes on', async () => {
    const { world, fence } = await running();
    world.touch('go');
    expect(await world.outcome(fence)).toBe(0);
    world.pass(60_000);
    expect(world.box.done).toEqual([]);
  });

  test('on-complete after a failure waits until nothing comes after', async () => {
    const { world, fence } = await running({ onComplete: 'terminate' }, 'exit 3');
    expect(await world.outcome(fence)).toBe(encodeOutcome({ kind: 'exited', code: 3 }));
    world.pass(60_000);
    expect(world.box.done).toEqual([]);
    world.direct({ done: true });
    await world.reported('the end', ({ state }) => state === 'terminated');
  });

  test('on-complete after a failure acts at once where no other attempt follows', async () => {
    const { world } = await running({ onComplete: 'terminate', retries: false }, 'exit 3');
    await world.reported('the end', ({ state }) => state === 'terminated');
  });

  test('the pre-stop command runs first, and its failure is told', async () => {
    const { world, fence } = await running({ preStop: 'save' });
    world.box.preStopCode = 7;
    world.direct({ wanted: 'stopped', reason: 'user' });
    await world.outcome(fence);
    await until('bye', () => world.coordinator.byes.length === 1);
    expect(world.box.done.slice(0, 2)).toEqual(['run save', 'stop']);
    expect(world.report?.message).toContain('exit 7: said');
  });
});

test.each(['stop', 'hibernate', 'terminate'] as const)(
  'a signal of completion decides the attempt, which comes to its own end before on-complete %s',
  async (onComplete) => {
    const { world, fence } = await running({ onComplete }, `${WAITS}; exit 9`);
    const said = await world.box.inside({ command: 'complete', status: 'success', message: 'all done' });
    expect(said).toEqual({ ok: true, first: true, status: 'success' });
    expect(await world.box.inside({ command: 'complete', status: 'failed' })).toMatchObject({
      first: false,
      status: 'success',
    });
    await world.reported('the signal', ({ completion }) => completion !== undefined);
    expect(world.box.done).toEqual([]);
    // Success, whatever the process says of it afterwards.
    world.touch('go');
    expect(await world.outcome(fence)).toBe(0);
    const state = { stop: 'stopped', hibernate: 'hibernated', terminate: 'terminated' }[onComplete];
    await world.reported('the end', (report) => report.state === state);
    expect(world.report).toMatchObject({
      reason: 'completed',
      completion: { status: 'success', message: 'all done' },
    });
  },
);

test('what ends well because it was asked to stop has more to do after the start', async () => {
  const { world, fence } = await running({}, `trap 'exit 0' TERM; ${WAITS}`);
  world.direct({ wanted: 'stopped', reason: 'user' });
  expect(await world.outcome(fence)).toBe(PREEMPTED);
});

test('what was completed is so when it is ended before its process has ended', async () => {
  const { world, fence } = await running();
  await world.box.inside({ command: 'complete', status: 'failed' });
  world.direct({ wanted: 'terminated', reason: 'user' });
  expect(await world.outcome(fence)).toBe(encodeOutcome({ kind: 'exited', code: 1 }));
});

test('with the coordinator away it goes on deciding, and tells everything when it is back', async () => {
  const { world, fence } = await running({ ttlMs: 100_000 }, WAITS, { ttlLeftMs: 100_000 });
  world.coordinator.failure = new Error('nobody is there');
  world.coordinator.breakStreams();
  await until('that is noticed', () => world.lines.some((line) => line.includes('the link broke')));
  world.pass(101_000);
  await until('the end of the machine', () => world.box.done.includes('terminate'));
  expect(world.coordinator.ends).toEqual([]);
  world.coordinator.failure = undefined;
  expect(await world.outcome(fence)).toBe(CANCELLED);
  await until('bye', () => world.coordinator.byes.length === 1);
  expect(world.report).toMatchObject({ state: 'terminated', reason: 'ttl' });
});

test('a machine that is lost takes its attempt along', async () => {
  const { world, fence } = await running();
  await world.box.lose('power');
  expect(await world.outcome(fence)).toBe(LOST);
  await until('bye', () => world.coordinator.byes.length === 1);
  expect(world.report).toMatchObject({ state: 'terminated', reason: 'lost', message: 'power' });
});
