import { describe, expect, test } from 'vitest';
import { runningInstance as running, WAITS } from '../../../test/support/agent-on-script.ts';
import { until } from '../../../test/support/until.ts';
import { SpawnError } from '../../core/errors.ts';
import { encodeOutcome } from '../../core/outcome.ts';

const CANCELLED = encodeOutcome({ kind: 'cancelled' });
const PREEMPTED = encodeOutcome({ kind: 'preempted' });

describe('an agent that takes over', () => {
  test('goes on with the session and with what runs, and runs nothing twice', async () => {
    const { world, fence } = await running();
    await world.crash();
    world.start();
    await until('the second hello', () => world.coordinator.hellos.length === 2);
    expect(world.coordinator.hellos[1]?.bound).toEqual({ resume: world.coordinator.sessionId });
    await world.started(fence);
    world.touch('go');
    expect(await world.outcome(fence)).toBe(0);
    expect(world.read('ran')).toBe('start 1\nend\n');
  });

  test('lets what runs go on when its files cannot be written', async () => {
    const { world, fence } = await running();
    await world.crash();
    world.box.writeFailure = new Error('no space left on device');
    world.start();
    await world.started(fence);
    world.touch('go');
    expect(await world.outcome(fence)).toBe(0);
    expect(world.box.done).not.toContain('terminate');
    expect(world.read('ran')).toBe('start 1\nend\n');
  });

  test('reports what ended while there was none', async () => {
    const { world, fence } = await running();
    await world.crash();
    world.touch('go');
    await until('its end', () => world.read('ran').endsWith('end\n'));
    world.start();
    expect(await world.outcome(fence)).toBe(0);
    expect(world.read('ran')).toBe('start 1\nend\n');
  });

  test('ends with its reason what an agent before it started, also with the coordinator away', async () => {
    const graceful = 'trap "exit 0" TERM; echo "start $SPAWN_ATTEMPT" >>"$OUT/ran"; while :; do sleep 0.05; done';
    const { world, fence } = await running({ ttlMs: 60_000 }, graceful, { ttlLeftMs: 60_000 });
    await world.crash();
    world.coordinator.failure = new SpawnError('SERVER_UNREACHABLE', { address: 'there', why: 'away' });
    world.clock.jump(61_000);
    world.start();
    await until('its end', () => world.box.done.includes('terminate'));
    world.coordinator.failure = undefined;
    expect(await world.outcome(fence)).toBe(CANCELLED);
    await until('bye', () => world.coordinator.byes.length === 1);
    expect(world.report).toMatchObject({ state: 'terminated', reason: 'ttl' });
  });

  test('a stop that another agent had begun sends the task back, whatever it ends with', async () => {
    const graceful = 'trap "exit 0" TERM; echo "start $SPAWN_ATTEMPT" >>"$OUT/ran"; while :; do sleep 0.05; done';
    const { world, fence } = await running({}, graceful);
    await world.crash();
    // As it is remembered a moment after the directive.
    const memory = JSON.parse(world.box.memory!) as { directive: object };
    const directive = { ...memory.directive, version: 9, wanted: 'stopped', reason: 'user' };
    world.box.memory = JSON.stringify({ ...memory, directive, state: 'stopping', reason: 'user' });
    world.start();
    expect(await world.outcome(fence)).toBe(PREEMPTED);
    await until('bye', () => world.coordinator.byes.length === 1);
    expect(world.report).toMatchObject({ state: 'stopped', reason: 'user' });
  });

  test('what was remembered of an earlier start of the machine is not obeyed in a later one', async () => {
    const { world } = await running();
    world.direct({ wanted: 'stopped', reason: 'user' });
    await until('bye', () => world.coordinator.byes.length === 1);
    await world.crash();
    world.box.startAlone();
    world.box.done.length = 0;
    world.coordinator.forgetSession();
    world.start();
    const again = world.direct({ wanted: 'running' });
    await world.reported('that it runs', ({ version, state }) => version === again && state === 'running');
    expect(world.box.done).toEqual([]);
  });

  test('counts the time in between', async () => {
    const { world } = await running({ ttlMs: 100_000 }, WAITS, { ttlLeftMs: 100_000 });
    await world.crash();
    world.clock.jump(60_000);
    world.start();
    const report = await world.reported('time', ({ ranMs }) => ranMs >= 60_000);
    expect(report.ttlLeftMs).toBeLessThan(40_001);
  });

  test('ends what the coordinator did not grant again, when the session is another one', async () => {
    const { world } = await running();
    await world.crash();
    world.coordinator.forgetSession();
    world.start();
    world.job('echo "start $SPAWN_ATTEMPT" >>"$OUT/ran"');
    const second = world.grant(2);
    world.direct();
    expect(await world.outcome(second)).toBe(0);
    world.touch('go');
    expect(world.read('ran')).toBe('start 1\nstart 2\n');
  });
});
