import { beforeEach, describe, expect, test } from 'vitest';
import { FakeMachines } from '../../test/support/fake-machines.ts';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { instanceOf, launch, reasons, serve } from '../../test/support/members.ts';
import { encodeOutcome } from '../core/outcome.ts';
import { TASK_REASONS, TaskReason } from '../core/task-table.ts';
import { cancelTask, failTask } from './bound.ts';
import { growArray } from './grow-array.ts';

const PREEMPTED = encodeOutcome({ kind: 'preempted' });
const CANCELLED = encodeOutcome({ kind: 'cancelled' });

let at: LedgerAtHand;

beforeEach(async () => {
  at = await LedgerAtHand.open({ instances: { provider: new FakeMachines() } });
});

describe('a task of an instance array', () => {
  test('is given to no worker of the pool, and to the session of its instance at once', async () => {
    const pool = await WorkerAtHand.join(at);
    const id = await launch(at, 2);
    const other = await at.submit();
    await at.ledger.idle();
    expect([...pool.held.values()]).toEqual([{ job: other, position: 0 }]);
    expect(at.states(id)).toEqual(['ready', 'ready']);
    const agent = await serve(at, id, 1);
    expect([...agent.held.values()]).toEqual([{ job: id, position: 1 }]);
    expect(at.states(id)).toEqual(['ready', 'leased']);
    expect(agent.told('instance').at(-1)!.directive).toMatchObject({ wanted: 'running', size: 2, done: false });
  });

  test('never takes what the pool waits for, and its own session gets no work of others', async () => {
    const id = await launch(at, 1, { instances: { standalone: true } });
    const agent = await serve(at, id, 0);
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

  test('gets no other CPUs or GPUs by an update', async () => {
    const id = await launch(at, 2);
    const refused = (where: string, found: number) => ({
      code: 'BAD_REQUEST',
      message: `${where}: expected none for a job with instances: their type says it, found ${found}`,
    });
    await expect(at.coordinator.update(CALLER, String(id), { cpus: 2 })).rejects.toMatchObject(refused('cpus', 2));
    await expect(at.coordinator.update(CALLER, `${id}_1`, { gpus: 1 })).rejects.toMatchObject(refused('gpus', 1));
  });

  test('says why it waits', async () => {
    const id = await launch(at, 2);
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
    const id = await launch(at, 3, { after: `afterok:${first}`, hold: true });
    expect(at.states(id)).toEqual(['blocked', 'blocked', 'blocked']);
    const pool = await WorkerAtHand.join(at);
    await pool.end(first, [0]);
    expect(at.states(id)).toEqual(['ready', 'ready', 'ready']);
    await at.coordinator.release(CALLER, String(id), {});
    await at.ledger.idle();
    await at.coordinator.hold(CALLER, String(id), {});
    await serve(at, id, 2);
    const agent = await serve(at, id, 0);
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
    const id = await launch(at, 2);
    const next = await at.submit({ array: '0-1', after: `aftercorr:${id}` });
    const chain = await at.submit({ after: `afterany:${id}` });
    const agent = await serve(at, id, 1);
    await agent.end(id, [1], 3);
    expect([at.states(next), at.states(chain)]).toEqual([['blocked', 'skipped'], ['blocked']]);
    const other = await serve(at, id, 0);
    await other.end(id, [0]);
    expect([at.states(next), at.states(chain)]).toEqual([['ready', 'skipped'], ['ready']]);
  });

  test('that is tried again runs where it ran', async () => {
    const id = await launch(at, 1, { retries: 1 });
    const agent = await serve(at, id, 0);
    await agent.end(id, [0], 3);
    expect(agent.told('grant').map(({ attempt }) => attempt)).toEqual([1, 2]);
    await agent.end(id, [0], 3);
    expect(at.states(id)).toEqual(['failed']);
    await at.coordinator.retry(CALLER, String(id), {});
    await at.ledger.idle();
    expect(agent.told('grant').map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  test('waits for its retry delay', async () => {
    const id = await launch(at, 1, { retries: 1, retryDelayMs: 5_000 });
    const agent = await serve(at, id, 0);
    await agent.end(id, [0], 3);
    expect([at.states(id), agent.held.size]).toEqual([['ready'], 0]);
  });

  test('is ready again after a stop, which counts as no failure, and not given to who leaves', async () => {
    const id = await launch(at, 1);
    const agent = await serve(at, id, 0);
    await agent.start(id, 0);
    const fence = agent.fenceOf(id, 0);
    agent.held.clear();
    await agent.say({ draining: true, ends: { runs: [[fence, 1]], outcome: [PREEMPTED] } });
    await at.ledger.idle();
    expect([at.states(id), agent.held.size, at.job(id).retried]).toEqual([['ready'], 0, 1]);
    expect(at.job(id).table.failures?.[0] ?? 0).toBe(0);
    await at.coordinator.bye(CALLER, agent.sessionId);
    const again = await serve(at, id, 0);
    expect(again.told('grant')[0]).toMatchObject({ attempt: 2 });
  });

  test('is lost with its machine as often as that may be replaced, and fails with the next', async () => {
    const id = await launch(at, 1, { instances: { replacements: 1 } });
    const agent = await serve(at, id, 0);
    await agent.start(id, 0);
    await at.coordinator.loseSession(agent.sessionId, 'its machine is gone');
    expect(at.states(id)).toEqual(['ready']);
    const second = await serve(at, id, 0);
    await second.start(id, 0);
    await at.coordinator.loseSession(second.sessionId, 'its machine is gone');
    expect([at.states(id), reasons(at, id)]).toEqual([['failed'], [TASK_REASONS[TaskReason.crashLimit]]]);
  });

  test('is named by its instance, in every verb', async () => {
    const id = await launch(at, 3);
    expect(await at.coordinator.why(CALLER, 'compute-1')).toMatchObject({ ref: `${id}_1` });
    expect(await at.coordinator.cancel(CALLER, instanceOf(at, id, 2), {})).toMatchObject({ tasks: 1 });
    expect(at.states(id)).toEqual(['ready', 'ready', 'cancelled']);
    const other = await at.submit({ name: 'compute-1' });
    await expect(at.coordinator.cancel(CALLER, 'compute-1', {})).rejects.toMatchObject({ code: 'AMBIGUOUS_NAME' });
    await at.coordinator.cancel(CALLER, String(other), {});
    expect(await at.coordinator.cancel(CALLER, 'compute-1', {})).toMatchObject({ job: { id }, tasks: 1 });
  });
});

describe('ending the task of an instance for a reason', () => {
  const act = <T>(work: (world: typeof at.ledger.world) => T) => at.ledger.write(work);

  test('cancels what waits at once, asks for what is held, and names what was cancelled without one', async () => {
    const id = await launch(at, 3, { hold: true });
    await at.coordinator.release(CALLER, String(id), {});
    await at.ledger.idle();
    const agent = await serve(at, id, 1);
    const cancel = (position: number) => act((world) => cancelTask(world, at.job(id), position, TaskReason.deadline));
    expect([await cancel(0), await cancel(0), await cancel(1), await cancel(1)]).toEqual([true, false, true, false]);
    expect(agent.told('cancel')).toHaveLength(1);
    await agent.end(id, [1], CANCELLED);
    const other = await serve(at, id, 2);
    await other.end(id, [2], CANCELLED);
    expect(reasons(at, id)[2]).toBe('');
    expect(await cancel(2)).toBe(true);
    expect([at.states(id), reasons(at, id)]).toEqual([Array(3).fill('cancelled'), Array(3).fill('deadline passed')]);
    expect(await cancel(2)).toBe(false);
  });

  test('fails what waits, and what runs as lost; what has ended stays', async () => {
    const id = await launch(at, 4, { retries: 2, retryDelayMs: 60_000, instances: { replacements: 9 } });
    const agents = [await serve(at, id, 0), await serve(at, id, 1), await serve(at, id, 2)];
    await agents[0]!.start(id, 0);
    await agents[1]!.end(id, [1]);
    await agents[2]!.end(id, [2], 3);
    const fail = (position: number) => act((world) => failTask(world, at.job(id), position, TaskReason.deadline));
    expect([await fail(0), await fail(1), await fail(2), await fail(3)]).toEqual([true, false, true, true]);
    expect(at.states(id)).toEqual(['failed', 'completed', 'failed', 'failed']);
    expect(reasons(at, id)).toEqual(['deadline passed', '', 'deadline passed', 'deadline passed']);
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
      array.grow(jobs.get(id)!.fixed);
      return first;
    });

  test('has its new tasks behind the others, with raw numbers that follow theirs, also after a restart', async () => {
    const id = await launch(at, 2, { array: '3,7' });
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
    const id = await launch(at, 1, { array: '0', after: `afterok:${first}` });
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
    const id = await launch(at, 1, { array: '0', after: 'singleton' });
    await grow(id, 1);
    expect(at.states(id)).toEqual(['ready', 'ready']);
  });
});

test('what contradicts instances is refused', async () => {
  for (const [field, value] of [
    ['gpus', 1],
    ['resources', { licence: 1 }],
    ['stage', 'a'.repeat(64)],
  ] as const) {
    await expect(launch(at, 1, { [field]: value })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      details: { where: `spec.${field}` },
    });
  }
  await expect(at.submit({ run: { kind: 'signal' } })).rejects.toMatchObject({ details: { where: 'spec.run.kind' } });
  const none = await LedgerAtHand.open();
  await expect(none.submit({ instances: {} })).rejects.toMatchObject({ details: { where: 'spec.instances' } });
});
