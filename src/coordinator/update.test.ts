import { beforeEach, describe, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import type { UpdateRequest } from '../api/job.ts';
import { encodeOutcome } from '../core/outcome.ts';

const FAILED = encodeOutcome({ kind: 'exited', code: 1 });

let at: LedgerAtHand;

beforeEach(async () => {
  at = await LedgerAtHand.open();
});

const update = (ref: string | number, request: UpdateRequest) => at.coordinator.update(CALLER, String(ref), request);

describe('another dependency', () => {
  test('of a whole job that has not started, over a restart', async () => {
    const first = await at.submit();
    const second = await at.submit();
    const id = await at.submit({ array: '0-2', after: `afterok:${first}` });
    expect(await update(id, { after: `afterok:${second}` })).toMatchObject({
      tasks: 3,
      job: { after: `afterok:${second}`, state: 'blocked' },
    });
    await at.restart();
    await at.coordinator.cancel(CALLER, String(first), {});
    expect(new Set(at.states(id))).toEqual(new Set(['blocked']));
    const worker = await WorkerAtHand.join(at);
    await worker.end(second, [0]);
    expect(at.states(id)).not.toContain('blocked');
    expect((await at.coordinator.job(CALLER, String(id))).after).toBe(`afterok:${second}`);
  });

  test('of one element of a held array touches only that one, over a restart', async () => {
    const other = await at.submit({ hold: true });
    const id = await at.submit({ array: '0-2', hold: true });
    expect(await update(`${id}_1`, { after: `afterok:${other}` })).toMatchObject({ tasks: 1 });
    for (const again of [false, true]) {
      if (again) await at.restart();
      expect(at.states(id)).toEqual(['ready', 'blocked', 'ready']);
    }
    const worker = await WorkerAtHand.join(at);
    await at.coordinator.release(CALLER, String(other), {});
    await worker.end(other, [0], FAILED);
    expect(at.states(id)).toEqual(['ready', 'skipped', 'ready']);
    // In place: what it waited for runs again, so it waits again.
    await at.coordinator.retry(CALLER, String(other), {});
    expect(at.states(id)).toEqual(['ready', 'blocked', 'ready']);
    await worker.end(other, [0]);
    expect(at.states(id)).toEqual(['ready', 'ready', 'ready']);
  });

  test('none lets tasks start at once', async () => {
    const first = await at.submit({ hold: true });
    const id = await at.submit({ array: '0-2', after: `afterok:${first}` });
    expect(await update(id, { index: '0', after: '' })).toMatchObject({ tasks: 1 });
    expect(at.states(id)).toEqual(['ready', 'blocked', 'blocked']);
    expect((await update(id, { after: '' })).job.after).toBeUndefined();
    expect(at.states(id)).toEqual(['ready', 'ready', 'ready']);
  });

  test('on a job that ended long ago is decided at once', async () => {
    const worker = await WorkerAtHand.join(at);
    const first = await at.submit();
    await worker.end(first, [0], FAILED);
    at.evictAll();
    const id = await at.submit({ array: '0-1', hold: true });
    await update(`${id}_0`, { after: `afternotok:${first}` });
    await update(`${id}_1`, { after: `afterok:${first}` });
    expect(at.states(id)).toEqual(['ready', 'skipped']);
  });

  test('lets those wait again that were skipped because of its tasks, also when they have left memory', async () => {
    const worker = await WorkerAtHand.join(at);
    const broken = await at.submit();
    await worker.end(broken, [0], FAILED);
    const id = await at.submit({ array: '0-1', hold: true });
    await update(`${id}_1`, { after: `afterok:${broken}` });
    const follower = await at.submit({ array: '1', after: `aftercorr:${id}` });
    expect([...at.states(id), ...at.states(follower)]).toEqual(['ready', 'skipped', 'skipped']);
    await at.restart();
    await update(`${id}_1`, { after: '' });
    expect([...at.states(id), ...at.states(follower)]).toEqual(['ready', 'ready', 'blocked']);
  });

  test('frees what could never run under the policy of waiting', async () => {
    const worker = await WorkerAtHand.join(at);
    const broken = await at.submit();
    const id = await at.submit({ array: '0-1', after: `aftercorr:${broken}`, invalidDependency: 'wait', hold: true });
    await worker.end(broken, [0], FAILED);
    const reasons = async () => {
      const { tasks } = await at.coordinator.tasks(CALLER, String(id), { after: -1, limit: 9 });
      return tasks.map(({ state, reason }) => [state, reason]);
    };
    const never = ['blocked', 'dependency never satisfied'];
    expect(await reasons()).toEqual([never, never]);
    const other = await at.submit({ array: '0-1' });
    await update(id, { after: `aftercorr:${other}` });
    const waits = ['blocked', undefined];
    expect(await reasons()).toEqual([waits, waits]);
    await worker.end(other, [1]);
    expect(at.states(id)).toEqual(['blocked', 'ready']);
  });

  test('of one element: its old partner that runs again does not let it wait again', async () => {
    const worker = await WorkerAtHand.join(at);
    const broken = await at.submit();
    const pairs = await at.submit({ array: '0-1' });
    const id = await at.submit({ array: '0-1', after: `aftercorr:${pairs}`, hold: true });
    await worker.end(broken, [0], FAILED);
    await update(`${id}_1`, { after: `afterok:${broken}` });
    await worker.end(pairs, [0, 1], FAILED);
    expect(at.states(id)).toEqual(['skipped', 'skipped']);
    await at.coordinator.retry(CALLER, String(pairs), {});
    expect(at.states(id)).toEqual(['blocked', 'skipped']);
  });

  test('makes no cycle through a job that has ended', async () => {
    const worker = await WorkerAtHand.join(at);
    const first = await at.submit();
    const second = await at.submit({ after: `afterany:${first}` });
    await worker.end(first, [0], FAILED);
    await worker.end(second, [0]);
    await at.coordinator.hold(CALLER, String(await at.submit()), {});
    await at.coordinator.retry(CALLER, String(first), {});
    await at.coordinator.hold(CALLER, String(first), {});
    expect((await update(first, { after: `afterok:${second}` })).job.after).toBe(`afterok:${second}`);
  });

  test.each([
    ['afterok:99', 'DEPENDENCY_UNKNOWN_JOB'],
    ['afterok:1_7', 'TASK_NOT_FOUND'],
    ['afterok:2', 'DEPENDENCY_SELF'],
    ['afterok:3', 'DEPENDENCY_CYCLE'],
    ['afterok:', 'BAD_DEPENDENCY'],
  ])('%s is refused and changes nothing', async (after, code) => {
    await at.submit({ array: '0-1', hold: true });
    await at.submit({ array: '0-1', after: 'afterany:1' });
    await at.submit({ after: 'afterany:2' });
    await expect(update(2, { after, throttle: 1 })).rejects.toMatchObject({ code });
    expect(await at.coordinator.job(CALLER, '2')).toMatchObject({ after: 'afterany:1', throttle: 0 });
    expect(at.states(2)).toEqual(['blocked', 'blocked']);
  });

  test('names the way round', async () => {
    await at.submit({ hold: true });
    await at.submit({ after: 'afterany:1' });
    await at.submit({ after: 'afterany:2' });
    await expect(update(1, { after: 'afterok:3' })).rejects.toThrow('expected no cycle, found 1 -> 3 -> 2 -> 1');
  });
});

describe('most failures', () => {
  test('lowered below those there are end the job before the reply', async () => {
    const worker = await WorkerAtHand.join(at);
    const id = await at.submit({ array: '0-5', throttle: 1 });
    await worker.end(id, [0], FAILED);
    await at.coordinator.hold(CALLER, String(id), {});
    await worker.say({ returned: [[worker.fenceOf(id, 1), 1]] });
    expect(at.states(id)).toEqual(['failed', 'ready', 'ready', 'ready', 'ready', 'ready']);
    const { job } = await update(id, { maxFailures: 0 });
    expect(job).toMatchObject({ state: 'failed', endedAt: at.clock.nowMs });
  });

  test('lowered below those there are end the job; removed let it go on', async () => {
    const worker = await WorkerAtHand.join(at);
    const id = await at.submit({ array: '0-4', maxFailures: 3 });
    await worker.end(id, [0, 1], FAILED);
    expect((await update(id, { maxFailures: null })).tasks).toBe(3);
    await at.restart();
    expect(at.job(id).maxFailures).toBe(Number.POSITIVE_INFINITY);
    await update(id, { maxFailures: 1 });
    expect((await at.coordinator.job(CALLER, String(id))).counts).toMatchObject({ failed: 2, ready: 0 });
  });
});

describe('an update', () => {
  test.each<[string, UpdateRequest, string]>([
    ['1', {}, 'body: expected at least one field'],
    ['1', { index: '0' }, 'body: expected at least one field'],
    ['1_0', { throttle: 2 }, 'throttle: expected a whole job'],
    ['1', { state: 'ready', maxFailures: 2 }, 'maxFailures: expected a whole job'],
    ['1', { beginAt: 1, beginInMs: 1 }, 'beginAt, beginInMs: expected one of the two'],
    ['1', { deadlineAt: 1, deadlineInMs: 1 }, 'deadlineAt, deadlineInMs: expected one of the two'],
    ['1_9', { after: '' }, 'not found'],
  ])('%s %j is refused: %s', async (ref, request, message) => {
    await at.submit({ array: '0-1', hold: true });
    await expect(update(ref, request)).rejects.toThrow(message);
  });

  test('of what has ended is refused', async () => {
    const id = await at.submit();
    await at.coordinator.cancel(CALLER, String(id), {});
    await expect(update(id, { throttle: 1 })).rejects.toMatchObject({ code: 'JOB_ENDED' });
  });

  test('of several fields is one event, and all or nothing', async () => {
    const id = await at.submit({ array: '0-3', hold: true });
    const now = at.clock.nowMs;
    const request = { throttle: 2, priority: 5, timeLimitMs: 60_000, memoryBytes: 2 ** 20, beginInMs: 5_000 };
    expect(await update(id, request)).toMatchObject({
      tasks: 4,
      job: { throttle: 2, priority: 5, timeLimitMs: 60_000 },
    });
    const { events } = await at.coordinator.events(CALLER, { ref: String(id), after: 0, limit: 10 });
    expect(events.at(-1)).toMatchObject({
      kind: 'jobUpdated',
      detail: { throttle: 2, beginAt: now + 5_000, tasks: 4 },
    });
    expect(await update(id, request)).toMatchObject({ tasks: 0 });
    const before = await at.coordinator.job(CALLER, String(id));
    const wrong = { throttle: 9, memoryBytes: 7, after: '', deadlineInMs: 1_000 };
    await expect(update(id, wrong)).rejects.toThrow('deadlineAt: expected a time after it begins');
    expect(await at.coordinator.job(CALLER, String(id))).toEqual(before);
    await at.restart();
    expect(await at.coordinator.job(CALLER, String(id))).toEqual(before);
  });

  test('of one element gives that one another limit, also while it runs', async () => {
    const worker = await WorkerAtHand.join(at);
    const id = await at.submit({ array: '0-1', timeLimitMs: 1_000 });
    await worker.start(id, 0, 1);
    expect(await update(`${id}_1`, { timeLimitMs: 9_000 })).toMatchObject({ tasks: 1 });
    await at.ledger.idle();
    expect(worker.told('limit')).toMatchObject([{ fences: [[worker.fenceOf(id, 1), 1]], timeLimitMs: 9_000 }]);
    expect([0, 1].map((position) => at.job(id).laneOf(position).terms.timeLimitMs)).toEqual([1_000, 9_000]);
  });
});

describe('a retry with other needs', () => {
  const OOM = encodeOutcome({ kind: 'outOfMemory' });

  test('gives what failed so more memory and time in place, and leaves the rest', async () => {
    const worker = await WorkerAtHand.join(at, { resources: { cpus: 4, memoryBytes: 1_000 } });
    const id = await at.submit({ array: '0-2', memoryBytes: 100, timeLimitMs: 1_000 });
    await worker.start(id, 0, 1, 2);
    await worker.end(id, [0], OOM);
    await worker.end(id, [1], FAILED);
    const request = { where: 'oom', memoryTimes: 2, timeLimitMs: 5_000 };
    expect(await at.coordinator.retry(CALLER, String(id), request)).toMatchObject({ tasks: 1 });
    await at.ledger.idle();
    const terms = [0, 1, 2].map((position) => at.job(id).laneOf(position).terms);
    expect(terms.map(({ memoryBytes, timeLimitMs }) => [memoryBytes, timeLimitMs])).toEqual([
      [200, 5_000],
      [100, 1_000],
      [100, 1_000],
    ]);
    expect(worker.told('grant').at(-1)).toMatchObject({ lane: 1 });
    expect(worker.told('job').at(-1)?.job.lanes).toMatchObject([{ lane: 1, memoryBytes: 200, timeLimitMs: 5_000 }]);
  });

  test.each([
    [{ memoryTimes: 2, memoryBytes: 1 }, 'memoryTimes, memoryBytes: expected one of the two'],
    [{ timeLimitTimes: 2, timeLimitMs: 1 }, 'timeLimitTimes, timeLimitMs: expected one of the two'],
    [{ memoryTimes: 2 }, 'memoryTimes: expected tasks that ask for memory'],
  ])('%j is refused: %s', async (request, message) => {
    const worker = await WorkerAtHand.join(at);
    const id = await at.submit();
    await worker.end(id, [0], FAILED);
    await expect(at.coordinator.retry(CALLER, String(id), request)).rejects.toThrow(message);
    expect(at.states(id)).toEqual(['failed']);
  });
});
