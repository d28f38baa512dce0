import { beforeEach, describe, expect, test } from 'vitest';
import { FakeMachines } from '../../test/support/fake-machines.ts';
import { CALLER, HELLO, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import type { InstanceReport } from '../api/instance-session.ts';
import type { JobSpecInput } from '../api/job-spec.ts';
import { encodeOutcome } from '../core/outcome.ts';
import { TASK_REASONS, TaskReason } from '../core/task-table.ts';
import { cancelTask, failTask } from './bound.ts';
import { growArray } from './grow-array.ts';
import { LeaseLoop } from './loops/leases.ts';
import { ReclaimLoop } from './loops/reclaim.ts';
import { Sessions } from './sessions.ts';

const PREEMPTED = encodeOutcome({ kind: 'preempted' });
const CANCELLED = encodeOutcome({ kind: 'cancelled' });
const RUNNING: InstanceReport = { version: 0, state: 'running', ranMs: 0 };

let at: LedgerAtHand;
let machines: FakeMachines;

beforeEach(async () => {
  machines = new FakeMachines();
  at = await LedgerAtHand.open({ instances: { provider: machines } });
});

/** An instance array, its rows made. */
async function launch(size: number, spec: Partial<JobSpecInput> = {}): Promise<number> {
  const { instances, ...rest } = spec;
  const array = size === 1 ? {} : { array: `0-${size - 1}` };
  const id = await at.submit({ name: 'compute', ...array, ...rest, instances: { ...instances } });
  await at.ledger.idle();
  return id;
}

function instanceOf(job: number, position: number): string {
  return [...at.ledger.memory.instances.rows.values()].find(
    (row) => row.jobId === job && row.position === position && row.endedAt === 0,
  )!.id;
}

function serve(job: number, position: number, resume?: number): Promise<WorkerAtHand> {
  return WorkerAtHand.join(at, {
    instance: instanceOf(job, position),
    bound: resume === undefined ? {} : { resume },
  });
}

function reasons(job: number): string[] {
  const { table } = at.job(job);
  return [...table.state].map((_, position) => TASK_REASONS[table.reasonOf(position)]!);
}

describe('a task of an instance array', () => {
  test('is given to no worker of the pool, and to the session of its instance at once', async () => {
    const pool = await WorkerAtHand.join(at);
    const id = await launch(2);
    const other = await at.submit();
    await at.ledger.idle();
    expect([...pool.held.values()]).toEqual([{ job: other, position: 0 }]);
    expect(at.states(id)).toEqual(['ready', 'ready']);
    const agent = await serve(id, 1);
    expect([...agent.held.values()]).toEqual([{ job: id, position: 1 }]);
    expect(at.states(id)).toEqual(['ready', 'leased']);
    expect(agent.told('instance').at(-1)!.directive).toMatchObject({ wanted: 'running', size: 2, done: false });
  });

  test('never takes what the pool waits for, and its own session gets no work of others', async () => {
    const id = await launch(1, { instances: { standalone: true } });
    const agent = await serve(id, 0);
    await agent.start(id, 0);
    await agent.end(id, [0]);
    const other = await at.submit();
    await at.ledger.idle();
    expect([at.states(id), at.states(other), agent.held.size]).toEqual([['completed'], ['ready'], 0]);
    expect(at.job(id).slots).toBe(0);
    expect((await at.coordinator.server(CALLER)).sessions).toEqual([]);
    expect(at.coordinator.sessions()).toEqual([]);
    expect(await at.coordinator.why(CALLER, `${other}`)).toMatchObject({ blockers: [{ rule: 'noWorker' }] });
  });

  test('says why it waits', async () => {
    const id = await launch(2);
    expect((await at.coordinator.why(CALLER, `${id}_1`)).blockers).toMatchObject([
      { rule: 'instance', text: expect.stringMatching(/its instance compute-1 \(i-[0-9a-f]{17}\) is pending/) },
    ]);
    const [blocker] = (await at.coordinator.why(CALLER, String(id))).blockers;
    expect(blocker).toMatchObject({ rule: 'instance', tasks: 2 });
    expect((await at.coordinator.jobs(CALLER, { limit: 10, show: 'all' })).jobs[0]).toMatchObject({
      reason: 'waiting for its instances',
    });
    await at.coordinator.hold(CALLER, `${id}_1`, {});
    expect((await at.coordinator.why(CALLER, `${id}_1`)).blockers).toMatchObject([{ rule: 'hold' }]);
  });

  test('waits for its dependency, its turn under the throttle, and whoever holds it', async () => {
    const first = await at.submit();
    const id = await launch(3, { after: `afterok:${first}`, hold: true });
    expect(at.states(id)).toEqual(['blocked', 'blocked', 'blocked']);
    const pool = await WorkerAtHand.join(at);
    await pool.end(first, [0]);
    expect(at.states(id)).toEqual(['ready', 'ready', 'ready']);
    await at.coordinator.release(CALLER, String(id), {});
    await at.ledger.idle();
    await at.coordinator.hold(CALLER, String(id), {});
    await serve(id, 2);
    const agent = await serve(id, 0);
    expect(agent.held.size).toBe(0);
    await at.coordinator.update(CALLER, String(id), { throttle: 1 });
    await at.coordinator.release(CALLER, String(id), {});
    await at.ledger.idle();
    expect(at.states(id)).toEqual(['leased', 'ready', 'ready']);
    const [blocker] = (await at.coordinator.why(CALLER, `${id}_2`)).blockers;
    expect(blocker).toMatchObject({ rule: 'throttle' });
    await agent.end(id, [0]);
    expect(at.states(id)).toEqual(['completed', 'ready', 'leased']);
  });

  test('is followed by what waits for it, task by task', async () => {
    const id = await launch(2);
    const next = await at.submit({ array: '0-1', after: `aftercorr:${id}` });
    const chain = await at.submit({ after: `afterany:${id}` });
    const agent = await serve(id, 1);
    await agent.end(id, [1], 3);
    expect([at.states(next), at.states(chain)]).toEqual([['blocked', 'skipped'], ['blocked']]);
    const other = await serve(id, 0);
    await other.end(id, [0]);
    expect([at.states(next), at.states(chain)]).toEqual([['ready', 'skipped'], ['ready']]);
  });

  test('that is tried again runs where it ran', async () => {
    const id = await launch(1, { retries: 1 });
    const agent = await serve(id, 0);
    await agent.end(id, [0], 3);
    expect(agent.told('grant').map(({ attempt }) => attempt)).toEqual([1, 2]);
    await agent.end(id, [0], 3);
    expect(at.states(id)).toEqual(['failed']);
    await at.coordinator.retry(CALLER, String(id), {});
    await at.ledger.idle();
    expect(agent.told('grant').map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  test('waits for its retry delay', async () => {
    const id = await launch(1, { retries: 1, retryDelayMs: 5_000 });
    const agent = await serve(id, 0);
    await agent.end(id, [0], 3);
    expect([at.states(id), agent.held.size]).toEqual([['ready'], 0]);
  });

  test('is ready again after a stop, which counts as no failure, and not given to who leaves', async () => {
    const id = await launch(1);
    const agent = await serve(id, 0);
    await agent.start(id, 0);
    const fence = agent.fenceOf(id, 0);
    agent.held.clear();
    await agent.say({ draining: true, ends: { runs: [[fence, 1]], outcome: [PREEMPTED] } });
    await at.ledger.idle();
    expect([at.states(id), agent.held.size, at.job(id).retried]).toEqual([['ready'], 0, 1]);
    expect(at.job(id).table.failures?.[0] ?? 0).toBe(0);
    await at.coordinator.bye(CALLER, agent.sessionId);
    const again = await serve(id, 0);
    expect(again.told('grant')[0]).toMatchObject({ attempt: 2 });
  });

  test('is lost with its machine as often as that may be replaced, and fails with the next', async () => {
    const id = await launch(1, { instances: { replacements: 1 } });
    const agent = await serve(id, 0);
    await agent.start(id, 0);
    await at.coordinator.loseSession(agent.sessionId, 'its machine is gone');
    expect(at.states(id)).toEqual(['ready']);
    const second = await serve(id, 0);
    await second.start(id, 0);
    await at.coordinator.loseSession(second.sessionId, 'its machine is gone');
    expect([at.states(id), reasons(id)]).toEqual([['failed'], [TASK_REASONS[TaskReason.crashLimit]]]);
  });

  test('is named by its instance, in every verb', async () => {
    const id = await launch(3);
    expect(await at.coordinator.why(CALLER, 'compute-1')).toMatchObject({ ref: `${id}_1` });
    expect(await at.coordinator.cancel(CALLER, instanceOf(id, 2), {})).toMatchObject({ tasks: 1 });
    expect(at.states(id)).toEqual(['ready', 'ready', 'cancelled']);
    const other = await at.submit({ name: 'compute-1' });
    await expect(at.coordinator.cancel(CALLER, 'compute-1', {})).rejects.toMatchObject({ code: 'AMBIGUOUS_NAME' });
    await at.coordinator.cancel(CALLER, String(other), {});
    expect(await at.coordinator.cancel(CALLER, 'compute-1', {})).toMatchObject({ job: { id }, tasks: 1 });
  });
});

describe('a hello for an instance', () => {
  test('must name one that lives, and that the caller may serve', async () => {
    const id = await launch(1);
    const hello = (parts: object, caller = CALLER) => at.coordinator.hello(caller, { ...HELLO, bound: {}, ...parts });
    await expect(hello({})).rejects.toMatchObject({ code: 'BAD_REQUEST', details: { where: 'instance' } });
    await expect(hello({ instance: 'i-0' })).rejects.toMatchObject({ code: 'INSTANCE_NOT_FOUND' });
    const stranger = { ...CALLER, owner: '7', role: 'submit', token: 3, sameHost: false } as const;
    await expect(hello({ instance: instanceOf(id, 0) }, stranger)).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
    expect(at.ledger.memory.sessions.size).toBe(0);
  });

  test('is refused while another session serves it, and says which', async () => {
    const id = await launch(1);
    const agent = await serve(id, 0);
    await expect(serve(id, 0)).rejects.toMatchObject({
      code: 'INSTANCE_SERVED',
      details: { session: agent.sessionId },
    });
    await at.coordinator.bye(CALLER, agent.sessionId);
    const next = await serve(id, 0, agent.sessionId);
    expect(next.sessionId).not.toBe(agent.sessionId);
  });

  test('goes on with the session before: what it holds is told again, what is old is refused', async () => {
    const id = await launch(1, { timeLimitMs: 60_000 });
    const old = await serve(id, 0);
    await old.start(id, 0);
    const fence = old.fenceOf(id, 0);
    const late = old.request({ ends: { runs: [[fence, 1]], outcome: [0] } });
    const agent = await serve(id, 0, old.sessionId);
    expect([agent.sessionId, old.closed]).toEqual([old.sessionId, 1]);
    expect(agent.told('job')).toHaveLength(1);
    expect(agent.told('grant')).toMatchObject([{ job: id, runs: [[fence, 0, 1]], attempt: 1 }]);
    expect(agent.told('instance')).toHaveLength(1);
    await expect(at.coordinator.exchange(CALLER, old.sessionId, late)).rejects.toMatchObject({
      code: 'SESSION_UNKNOWN',
    });
    expect(() => at.coordinator.stream(CALLER, old.sessionId, late.ack, { write() {}, close() {} })).toThrow(
      'not known',
    );
    expect(await agent.start(id, 0)).toMatchObject({ stale: 0 });
    expect(at.job(id).table.attempts[0]).toBe(1);
    await agent.end(id, [0]);
    expect(at.states(id)).toEqual(['completed']);
  });

  test('goes on with the cancel that the agent before may not have heard', async () => {
    const id = await launch(1);
    const old = await serve(id, 0);
    await old.start(id, 0);
    await at.coordinator.cancel(CALLER, String(id), {});
    const agent = await serve(id, 0, old.sessionId);
    expect(agent.told('cancel')).toMatchObject([{ fences: [[agent.fenceOf(id, 0), 1]] }]);
    await agent.end(id, [0], CANCELLED);
    expect(at.states(id)).toEqual(['cancelled']);
  });

  test('is remembered over a restart, also who was replaced before it', async () => {
    const id = await launch(1);
    const old = await serve(id, 0);
    await old.start(id, 0);
    const late = old.request({});
    const agent = await serve(id, 0, old.sessionId);
    await agent.say();
    await at.restart();
    expect(at.states(id)).toEqual(['running']);
    await expect(at.coordinator.exchange(CALLER, old.sessionId, late)).rejects.toMatchObject({
      code: 'SESSION_UNKNOWN',
    });
    agent.connect();
    expect(await agent.say()).toMatchObject({ resync: true });
    await agent.resync([...agent.held.keys()]);
    await agent.end(id, [0]);
    expect(at.states(id)).toEqual(['completed']);
  });
});

describe('the session of an instance', () => {
  test('has no lease that ends, but is over when its token is', async () => {
    const id = await launch(1);
    const { view } = await at.coordinator.createToken(CALLER, { name: 'agent', role: 'worker', owner: CALLER.owner });
    const caller = { ...CALLER, role: 'worker', token: view.id } as const;
    const hello = { ...HELLO, instance: instanceOf(id, 0), bound: {} };
    const { sessionId } = await at.coordinator.hello(caller, hello);
    const loop = new LeaseLoop(at.ledger, new Sessions(at.ledger));
    at.clock.pass(24 * 3_600_000);
    await loop.runOnce();
    expect(at.ledger.memory.sessions.has(sessionId)).toBe(true);
    await at.coordinator.revokeToken(CALLER, 'agent');
    await loop.runOnce();
    expect([at.ledger.memory.sessions.size, at.ledger.memory.bound.size]).toEqual([0, 0]);
  });

  test('is asked for no work back', async () => {
    const id = await launch(1);
    await WorkerAtHand.join(at);
    const agent = await serve(id, 0);
    const loop = new ReclaimLoop(at.ledger);
    for (let i = 0; i < 4; i++) {
      loop.runOnce();
      at.clock.pass(400);
    }
    await at.ledger.idle();
    expect(agent.told('revoke')).toEqual([]);
  });

  test('reports on its instance; a worker of the pool does not', async () => {
    const id = await launch(1);
    const agent = await serve(id, 0);
    await agent.say({ instance: RUNNING });
    expect(at.ledger.memory.instances.rows.get(instanceOf(id, 0))).toMatchObject({ state: 'running' });
    const pool = await WorkerAtHand.join(at);
    await expect(pool.say({ instance: RUNNING })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });

  test('whose task completed in the exchange that says its instance must go leaves it completed', async () => {
    const id = await launch(1);
    const agent = await serve(id, 0);
    await agent.say({ instance: RUNNING });
    const fence = agent.fenceOf(id, 0);
    await agent.say({
      ends: { runs: [[fence, 1]], outcome: [0] },
      instance: { version: 0, state: 'shutting-down', reason: 'ttl', ranMs: 5 },
    });
    expect(at.states(id)).toEqual(['completed']);
  });

  test('gets a fresh directive when its stream opens again, and not the old one', async () => {
    const id = await launch(1, { instances: { ttlMs: 60_000 } });
    const agent = await serve(id, 0);
    await agent.say({ instance: RUNNING });
    at.clock.pass(10_000);
    agent.disconnect();
    agent.messages.length = 0;
    agent.connect();
    await at.ledger.idle();
    const told = agent.told('instance').map(({ directive }) => directive.ttlLeftMs);
    expect(told).toHaveLength(1);
    expect(told[0]).toBeLessThanOrEqual(50_000);
  });
});

describe('ending the task of an instance for a reason', () => {
  const act = <T>(work: (world: typeof at.ledger.world) => T) => at.ledger.write(work);

  test('cancels what waits at once, asks for what is held, and names what was cancelled without one', async () => {
    const id = await launch(3, { hold: true });
    await at.coordinator.release(CALLER, String(id), {});
    await at.ledger.idle();
    const agent = await serve(id, 1);
    const cancel = (position: number) => act((world) => cancelTask(world, at.job(id), position, TaskReason.deadline));
    expect([await cancel(0), await cancel(0), await cancel(1), await cancel(1)]).toEqual([true, false, true, false]);
    expect(agent.told('cancel')).toHaveLength(1);
    await agent.end(id, [1], CANCELLED);
    const other = await serve(id, 2);
    await other.end(id, [2], CANCELLED);
    expect(reasons(id)[2]).toBe('');
    expect(await cancel(2)).toBe(true);
    expect([at.states(id), reasons(id)]).toEqual([Array(3).fill('cancelled'), Array(3).fill('deadline passed')]);
    expect(await cancel(2)).toBe(false);
  });

  test('fails what waits, and what runs as lost; what has ended stays', async () => {
    const id = await launch(4, { retries: 2, retryDelayMs: 60_000, instances: { replacements: 9 } });
    const agents = [await serve(id, 0), await serve(id, 1), await serve(id, 2)];
    await agents[0]!.start(id, 0);
    await agents[1]!.end(id, [1]);
    await agents[2]!.end(id, [2], 3);
    const fail = (position: number) => act((world) => failTask(world, at.job(id), position, TaskReason.deadline));
    expect([await fail(0), await fail(1), await fail(2), await fail(3)]).toEqual([true, false, true, true]);
    expect(at.states(id)).toEqual(['failed', 'completed', 'failed', 'failed']);
    expect(reasons(id)).toEqual(['deadline passed', '', 'deadline passed', 'deadline passed']);
    expect(at.job(id).endedAt).not.toBe(0);
    await at.restart();
    expect(await at.coordinator.tasks(CALLER, String(id), { limit: 9, after: -1 })).toMatchObject({
      tasks: [{ outcome: 'worker lost' }, { outcome: 'exit 0' }, { outcome: 'exit 3' }, {}],
    });
  });
});

describe('an array that grows', () => {
  const grow = (id: number, count: number) =>
    at.ledger.write((world) => {
      const first = growArray(world, at.job(id), count);
      const { instances, jobs } = world.memory;
      const array = instances.arrays.get(id)!;
      array.fixed = jobs.get(id)!.fixed;
      array.plan = instances.planOnly(array.fixed);
      return first;
    });

  test('has its new tasks behind the others, with raw numbers that follow theirs, also after a restart', async () => {
    const id = await launch(2, { array: '3,7' });
    expect(await grow(id, 2)).toBe(2);
    await at.restart();
    expect(String(at.job(id).facts.indices)).toBe('3,7-9');
    expect(at.states(id)).toEqual(['ready', 'ready', 'ready', 'ready']);
    const next = await at.submit();
    const { fixed } = at.ledger.entry(id);
    expect(at.ledger.entry(next).fixed.rawIdBase).toBe(fixed.rawIdBase + 1_000);
    await expect(grow(id, 1_000)).rejects.toMatchObject({ code: 'ARRAY_TOO_LARGE', details: { max: 1_000 } });
  });

  test('waits for what it waits for, and lives again when it had ended', async () => {
    const first = await at.submit();
    const id = await launch(1, { array: '0', after: `afterok:${first}` });
    await grow(id, 1);
    expect(at.states(id)).toEqual(['blocked', 'blocked']);
    const pool = await WorkerAtHand.join(at);
    await pool.end(first, [0]);
    expect(at.states(id)).toEqual(['ready', 'ready']);
    await at.coordinator.cancel(CALLER, String(id), {});
    expect(at.job(id).endedAt).not.toBe(0);
    await grow(id, 1);
    expect([at.states(id), at.job(id).endedAt]).toEqual([['cancelled', 'cancelled', 'ready'], 0]);
  });

  test('keeps the order of a singleton', async () => {
    const id = await launch(1, { array: '0', after: 'singleton' });
    await grow(id, 1);
    expect(at.states(id)).toEqual(['ready', 'ready']);
  });
});

test('what contradicts instances is refused', async () => {
  for (const [field, value] of [
    ['gpus', 1],
    ['resources', { licence: 1 }],
    ['user', 'ada'],
    ['stage', 'a'.repeat(64)],
  ] as const) {
    await expect(launch(1, { [field]: value })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      details: { where: `spec.${field}` },
    });
  }
  await expect(at.submit({ run: { kind: 'signal' } })).rejects.toMatchObject({ details: { where: 'spec.run.kind' } });
  const none = await LedgerAtHand.open();
  await expect(none.submit({ instances: {} })).rejects.toMatchObject({ details: { where: 'spec.instances' } });
});
