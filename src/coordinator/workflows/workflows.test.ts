import { beforeEach, describe, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../../test/support/ledger-at-hand.ts';
import type { JobSpecInput } from '../../api/job-spec.ts';
import { WorkflowRequest, type WorkflowRequestInput } from '../../api/workflow.ts';
import { encodeOutcome } from '../../core/outcome.ts';

let at: LedgerAtHand;

beforeEach(async () => {
  at = await LedgerAtHand.open();
});

type Part = Partial<JobSpecInput> & { readonly onFailure?: 'stop' | 'continue' };

/** A request with a job for each key. */
function request(jobs: Record<string, Part>, more: Partial<WorkflowRequestInput> = {}): WorkflowRequest {
  return WorkflowRequest.parse({
    jobs: Object.entries(jobs).map(([key, { onFailure, ...spec }]) => ({
      key,
      spec: { run: { kind: 'argv', argv: ['true'] }, cwd: '/', ...spec },
      ...(onFailure === undefined ? {} : { onFailure }),
    })),
    ...more,
  });
}

const submit = (jobs: Record<string, Part>, more: Partial<WorkflowRequestInput> = {}) =>
  at.coordinator.submitWorkflow(CALLER, request(jobs, more));

const states = async (ref: string) =>
  Object.fromEntries(
    (await at.coordinator.workflow(CALLER, ref)).jobs.map(({ workflow, state }) => [workflow!.key, state]),
  );

const FAILED = encodeOutcome({ kind: 'exited', code: 3 });

/** Runs what a worker was granted of these jobs. */
async function run(worker: WorkerAtHand, job: number, outcome = 0): Promise<void> {
  await at.ledger.idle();
  await worker.start(job, 0);
  await worker.end(job, [0], outcome);
}

describe('a workflow', () => {
  test('is taken in an order in which nothing comes before what it waits for', async () => {
    const { workflow, replayed, dryRun } = await submit(
      { report: { after: 'afterok:@fit,afterany:@prep' }, fit: { after: 'afterok:@prep' }, prep: {}, other: {} },
      { name: 'night' },
    );
    expect({ replayed, dryRun }).toEqual({ replayed: false, dryRun: false });
    expect(workflow).toMatchObject({ id: 1, name: 'night', owner: '1000', count: 4, state: 'ready' });
    expect(workflow.jobs.map(({ id, name, after, workflow: own }) => [id, name, own!.key, own!.first, after])).toEqual([
      [1, 'prep', 'prep', 1, undefined],
      [2, 'fit', 'fit', 1, 'afterok:1'],
      [3, 'report', 'report', 1, 'afterok:2,afterany:1'],
      [4, 'other', 'other', 1, undefined],
    ]);
    expect(workflow.edges).toEqual([
      { from: 1, to: 2, type: 'afterok' },
      { from: 2, to: 3, type: 'afterok' },
      { from: 1, to: 3, type: 'afterany' },
    ]);
    await at.restart();
    expect(await at.coordinator.workflow(CALLER, 'night')).toEqual(workflow);
  });

  test('may wait for older jobs, for tasks, and for one of several', async () => {
    const old = await at.submit();
    const { workflow } = await submit({
      prep: { array: '0-9' },
      fit: { array: '0-9', after: `aftercorr:@prep_[1-3]?afterok:${old}?@prep_7` },
    });
    expect(workflow.edges).toEqual([
      { from: 2, to: 3, type: 'aftercorr', indices: '1-3', any: true },
      { from: 1, to: 3, type: 'afterok', any: true },
      { from: 2, to: 3, type: 'afterany', indices: '7', any: true },
    ]);
  });

  test.each<[string, Record<string, Part>, string, string]>([
    [
      'a cycle',
      { a: { after: 'afterok:@c' }, b: { after: 'afterok:@a' }, c: { after: 'afterok:@b' } },
      'DEPENDENCY_CYCLE',
      'dependency: expected no cycle, found a -> c -> b -> a',
    ],
    ['a job of itself', { a: { after: '@a' } }, 'DEPENDENCY_CYCLE', 'found a -> a'],
    [
      'a key that is none',
      { a: {}, b: { after: 'afterok:@c' } },
      'BAD_DEPENDENCY',
      'jobs[1] (b): dependency, column 10: expected the key of a job that is submitted with it, found "c"',
    ],
    ['a job that is none', { a: {}, b: { after: 'afterok:99' } }, 'DEPENDENCY_UNKNOWN_JOB', '99'],
    ['a task that is none', { a: { array: '0-3' }, b: { after: 'afterok:@a_7' } }, 'TASK_NOT_FOUND', 'a_[7]'],
    ['a wrong spec', { a: {}, b: { retryOn: '7' } }, 'BAD_REQUEST', 'jobs[1] (b).spec.retries: expected at least 1'],
    ['a deadline that has passed', { a: {}, b: { deadlineAt: 5 } }, 'BAD_REQUEST', 'a time in the future'],
    ['a wrong array', { a: {}, b: { array: '3-' } }, 'BAD_INDEX_SET', 'jobs[1] (b): index set'],
    ['a wrong name', { a: {}, b: { name: '12' } }, 'BAD_NAME', 'jobs[1] (b): name "12"'],
    [
      'a workflow within',
      { a: { workflow: { first: 1, count: 1, key: 'a' } } },
      'BAD_REQUEST',
      'jobs[0] (a).spec.workflow',
    ],
  ])('with %s is refused before anything is taken', async (_, jobs, code, message) => {
    await expect(submit(jobs)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    await expect(submit(jobs, { dryRun: true })).rejects.toMatchObject({ code });
    await at.restart();
    expect(at.disk.content.jobs.size).toBe(0);
    expect(await at.submit()).toBe(1);
  });

  test('has a key for one job only', async () => {
    const twice = request({ a: {} });
    twice.jobs.push(twice.jobs[0]!);
    await expect(at.coordinator.submitWorkflow(CALLER, twice)).rejects.toThrow(
      'jobs[1].key: expected a key once, found "a"',
    );
  });

  test('is submitted once for a key', async () => {
    const replies = await Promise.all(
      [1, 2, 3].map(() => submit({ b: { after: '@a' }, a: {} }, { idempotencyKey: 'k' })),
    );
    expect(replies.map(({ replayed, workflow }) => [replayed, workflow.id, workflow.jobs.length])).toEqual([
      [false, 1, 2],
      [true, 1, 2],
      [true, 1, 2],
    ]);
    await at.restart();
    expect(await submit({ b: { after: '@a' }, a: {} }, { idempotencyKey: 'k' })).toMatchObject({ replayed: true });
    await expect(submit({ a: {} }, { idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
    await expect(at.submit({}, 'k')).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
    expect(at.disk.content.jobs.size).toBe(2);
  });

  test('is only shown by a dry run', async () => {
    const { workflow, dryRun } = await submit({ b: { after: 'afterok:@a' }, a: {} }, { dryRun: true });
    expect(dryRun).toBe(true);
    expect(workflow.jobs.map(({ id, state }) => [id, state])).toEqual([
      [1, 'ready'],
      [2, 'blocked'],
    ]);
    expect(workflow.edges).toEqual([{ from: 1, to: 2, type: 'afterok' }]);
    await at.restart();
    expect(at.disk.content.jobs.size).toBe(0);
  });

  test('of a chain of 5,000 jobs is taken, told, and cancelled as a whole', async () => {
    const length = 5_000;
    const jobs = Object.fromEntries(
      Array.from({ length }, (_, n) => [`j${n}`, n + 1 < length ? { after: `afterok:@j${n + 1}` } : {}]),
    );
    const { workflow } = await submit(jobs);
    expect(workflow.jobs.length).toBe(length);
    expect(workflow.jobs.at(-1)).toMatchObject({ name: 'j0', state: 'blocked' });
    expect((await at.coordinator.graph(CALLER, '1')).edges.length).toBe(length - 1);
    const { tasks, jobs: changed } = await at.coordinator.workflowVerb(CALLER, 'cancel', '1', {});
    expect([tasks, changed]).toEqual([length, length]);
    expect(await states('1')).toMatchObject({ j0: 'cancelled', j4999: 'cancelled' });
  });
});

describe('a workflow that runs', () => {
  test('ends with the highest exit code, and skips what waits for what failed', async () => {
    const worker = await WorkerAtHand.join(at);
    await submit({ a: {}, b: { after: 'afterok:@a' }, clean: { after: 'afternotok:@a' } }, { name: 'w' });
    expect((await at.coordinator.workflow(CALLER, 'w')).exitCode).toBeUndefined();
    await run(worker, 1, FAILED);
    await run(worker, 3);
    expect(await at.coordinator.workflow(CALLER, 'w')).toMatchObject({ state: 'failed', exitCode: 3 });
    expect(await states('w')).toEqual({ a: 'failed', b: 'skipped', clean: 'completed' });
    at.evictAll();
    expect(await states('w')).toEqual({ a: 'failed', b: 'skipped', clean: 'completed' });
  });

  test('has succeeded although what was there for a failure was skipped', async () => {
    const worker = await WorkerAtHand.join(at);
    await submit({ a: {}, clean: { after: 'afternotok:@a' } });
    await run(worker, 1);
    expect(await at.coordinator.workflow(CALLER, '1')).toMatchObject({ state: 'completed', exitCode: 0 });
  });

  test('stops when it shall: what runs goes on, what was to follow the failure too, the rest is cancelled', async () => {
    const worker = await WorkerAtHand.join(at);
    await submit({
      a: { onFailure: 'stop' },
      runs: {},
      b: { after: 'afterok:@a' },
      clean: { after: 'afternotok:@a' },
      waits: {},
      later: { after: 'afterok:@waits' },
    });
    await at.ledger.idle();
    await worker.start(1, 0);
    await worker.start(2, 0);
    await worker.end(1, [0], FAILED);
    expect(await states('1')).toEqual({
      a: 'failed',
      runs: 'running',
      b: 'skipped',
      clean: expect.stringMatching(/ready|running/),
      waits: 'cancelled',
      later: 'cancelled',
    });
    const [task] = (await at.coordinator.tasks(CALLER, '5', { limit: 1, after: -1 })).tasks;
    expect(task!.reason).toBe('another job of its workflow failed');
    const { events } = await at.coordinator.events(CALLER, { ref: '1', after: 0, limit: 100 });
    expect(events.map(({ kind }) => kind)).toContain('workflowStopped');

    const { tasks } = await at.coordinator.workflowVerb(CALLER, 'retry', '1', {});
    expect(tasks).toBe(3);
    expect(await states('1')).toMatchObject({
      a: expect.stringMatching(/ready|running/),
      b: 'blocked',
      waits: expect.stringMatching(/ready|running/),
      later: 'blocked',
    });
  });

  test('goes on when it is not to stop', async () => {
    const worker = await WorkerAtHand.join(at, { resources: { cpus: 1, memoryBytes: 2 ** 30 } });
    await submit({ a: {}, b: {} });
    await run(worker, 1, FAILED);
    expect(await states('1')).toMatchObject({ a: 'failed', b: expect.stringMatching(/ready|running/) });
  });
});

describe('verbs on a workflow', () => {
  test('hold, release, cancel and retry all jobs, in one change', async () => {
    await submit({ a: {}, b: { after: 'afterok:@a' } }, { name: 'w' });
    const verb = (name: 'hold' | 'release' | 'cancel' | 'retry') => at.coordinator.workflowVerb(CALLER, name, 'w', {});
    expect(await verb('hold')).toMatchObject({ jobs: 2, tasks: 2, workflow: { state: 'held' } });
    expect(await verb('release')).toMatchObject({ jobs: 2, workflow: { state: 'ready' } });
    expect(await verb('cancel')).toMatchObject({ jobs: 2, workflow: { state: 'cancelled', exitCode: 1 } });
    at.evictAll();
    expect(await verb('retry')).toMatchObject({ jobs: 2, tasks: 2 });
    expect(await states('w')).toEqual({ a: 'ready', b: 'blocked' });
    await verb('cancel');
    expect(await verb('hold')).toMatchObject({ jobs: 0, tasks: 0 });
  });

  test('are for its owner', async () => {
    await submit({ a: {} });
    const stranger = { ...CALLER, owner: '2', role: 'submit' as const };
    await expect(at.coordinator.workflowVerb(stranger, 'cancel', '1', {})).rejects.toMatchObject({
      code: 'NOT_PERMITTED',
    });
  });
});

describe('a name', () => {
  test('means the live workflow, else the newest; of two live ones the number must be given', async () => {
    await submit({ a: {} }, { name: 'w' });
    await submit({ b: {} }, { name: 'w' });
    await expect(at.coordinator.workflow(CALLER, 'w')).rejects.toMatchObject({ code: 'AMBIGUOUS_NAME' });
    await at.coordinator.workflowVerb(CALLER, 'cancel', '2', {});
    expect(await states('w')).toEqual({ a: 'ready' });
    await at.coordinator.workflowVerb(CALLER, 'cancel', '1', {});
    expect(await states('w')).toEqual({ b: 'cancelled' });
    at.evictAll();
    expect(await states('w')).toEqual({ b: 'cancelled' });
  });

  test('may be that of one of its jobs; what is none is said so', async () => {
    await submit({ a: {}, b: {} });
    await at.submit({ name: 'alone' });
    expect(await states('a')).toEqual({ a: 'ready', b: 'ready' });
    await expect(at.coordinator.workflow(CALLER, 'nobody')).rejects.toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
    await expect(at.coordinator.workflow(CALLER, 'alone')).rejects.toThrow('job 3 was submitted by itself');
    await expect(at.coordinator.workflow(CALLER, '99')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });
});

describe('a graph', () => {
  test('is all that a job is tied to, in memory or not', async () => {
    await at.submit();
    await at.submit({ after: 'afterok:1' });
    await at.submit();
    await at.submit({ after: 'afterany:2,singleton' });
    await submit({ x: { after: '@y' }, y: {}, z: { after: 'afterok:4' } });
    const all = [1, 2, 4, 5, 6, 7];
    const graph = async (ref: string) => (await at.coordinator.graph(CALLER, ref)).jobs.map(({ id }) => id);
    expect(await graph('2')).toEqual(all);
    expect(await graph('6')).toEqual(all);
    expect(await graph('3')).toEqual([3]);
    await at.coordinator.cancel(CALLER, '1', {});
    at.evictAll();
    await at.restart();
    expect(await graph('7')).toEqual(all);
    expect(await graph('1')).toEqual(all);
    await expect(graph('9')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });
});
