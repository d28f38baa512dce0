import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JobSpec } from '../../src/api/job-spec.ts';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { openBlobs } from '../objects/directory/blobs.ts';

let at: LedgerAtHand;

beforeEach(async () => {
  at = await LedgerAtHand.open();
});

const spec = (parts: Partial<JobSpec> = {}) =>
  JobSpec.parse({ run: { kind: 'argv', argv: ['true'] }, cwd: '/', ...parts });

describe('an idempotency key', () => {
  test('makes one job of requests that arrive together, later, and after a restart', async () => {
    const request = { spec: spec({ array: '0-9' }), idempotencyKey: 'k' };
    const replies = await Promise.all([1, 2, 3].map(() => at.coordinator.submit(CALLER, request)));
    expect(replies.map(({ job, replayed }) => [job.id, replayed])).toEqual([
      [1, false],
      [1, true],
      [1, true],
    ]);
    expect(await at.coordinator.submit(CALLER, request)).toMatchObject({ replayed: true, job: { id: 1 } });
    await at.restart();
    expect(await at.coordinator.submit(CALLER, request)).toMatchObject({ replayed: true, job: { id: 1 } });
    expect(at.disk.content.jobs.size).toBe(1);
  });

  test('gives the job also when it has ended and left memory', async () => {
    const request = { spec: spec(), idempotencyKey: 'k' };
    await at.coordinator.submit(CALLER, request);
    await at.coordinator.cancel(CALLER, '1', {});
    at.evictAll();
    expect(await at.coordinator.submit(CALLER, request)).toMatchObject({ replayed: true, job: { state: 'cancelled' } });
  });

  test('is refused with another body, also by a twin that is not durable yet', async () => {
    const first = at.coordinator.submit(CALLER, { spec: spec(), idempotencyKey: 'k' });
    const other = { spec: spec({ array: '0-1' }), idempotencyKey: 'k' };
    await expect(at.coordinator.submit(CALLER, other)).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
    await first;
    await expect(at.coordinator.submit(CALLER, other)).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
  });

  test('is its owner’s own', async () => {
    const request = { spec: spec(), idempotencyKey: 'k' };
    await at.coordinator.submit(CALLER, request);
    const other = await at.coordinator.submit({ ...CALLER, owner: '1001' }, request);
    expect(other).toMatchObject({ replayed: false, job: { id: 2, owner: '1001' } });
  });
});

describe('a staged directory', () => {
  let folder: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'spawn-staged-'));
    at = await LedgerAtHand.open({ blobs: await openBlobs(folder) });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const put = async (kind: 'stage' | 'script', text: string) =>
    (await at.coordinator.putBlob(CALLER, kind, Buffer.from(text))).hash;
  const listing = (...pieces: string[]) => JSON.stringify({ version: 1, pieces, bytes: 10 });
  const submit = (stage: string) => at.coordinator.submit(CALLER, { spec: spec({ stage }) });

  test('is taken when its list and all pieces are stored', async () => {
    const hash = await put('stage', listing(await put('stage', 'x'), await put('stage', 'y')));
    expect(await submit(hash)).toMatchObject({ job: { id: 1 } });
  });

  test('is refused when anything is missing, or something else', async () => {
    const script = await put('script', 'x');
    const none = 'b'.repeat(64);
    const notOne = /^spec.stage: expected the hash of a stored list of the pieces of a packed directory, found "/;
    await expect(submit(none)).rejects.toThrow(notOne);
    await expect(submit(script)).rejects.toThrow(notOne);
    await expect(submit(await put('stage', 'no list'))).rejects.toThrow(notOne);
    for (const piece of [none, script]) {
      const hash = await put('stage', listing(await put('stage', 'y'), piece));
      await expect(submit(hash)).rejects.toThrow(
        `spec.stage: expected a packed directory with all its pieces stored, found "${piece} missing"`,
      );
    }
  });
});

describe('a dry run', () => {
  test('checks all and changes nothing', async () => {
    const reply = await at.coordinator.submit(CALLER, { spec: spec({ array: '0-9', name: 'dry' }), dryRun: true });
    expect(reply).toMatchObject({ dryRun: true, job: { id: 0, name: 'dry', size: 10 } });
    await expect(
      at.coordinator.submit(CALLER, { spec: spec({ after: 'afterok:7' }), dryRun: true }),
    ).rejects.toMatchObject({ code: 'DEPENDENCY_UNKNOWN_JOB' });
    expect([at.disk.content.jobs.size, at.ledger.memory.jobs.size]).toEqual([0, 0]);
    expect(await at.submit()).toBe(1);
  });
});

describe('a dependency', () => {
  test('on a job that is not there is refused', async () => {
    await expect(at.submit({ after: 'afterok:1' })).rejects.toMatchObject({ code: 'DEPENDENCY_UNKNOWN_JOB' });
  });

  test('on an index that is not in the array is refused', async () => {
    const id = await at.submit({ array: '0-8:2' });
    await expect(at.submit({ after: `afterok:${id}_1` })).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    await expect(at.submit({ after: `afterok:${id}_[0-2]` })).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    await at.submit({ after: `afterok:${id}_[0,2]` });
  });

  test.each([
    ['afterok', 0, 'ready'],
    ['afterok', 3, 'skipped'],
    ['afternotok', 3, 'ready'],
    ['afterany', 3, 'ready'],
    ['after', 3, 'ready'],
    ['aftercorr', 0, 'ready'],
  ] as const)('%s on a job that ended with %i long ago is decided at once: %s', async (type, outcome, state) => {
    const worker = await WorkerAtHand.join(at);
    const first = await at.submit();
    await worker.end(first, [0], outcome);
    at.evictAll();
    worker.disconnect();
    const id = await at.submit({ after: `${type}:${first}` });
    expect(at.states(id)).toEqual([state]);
  });

  test('aftercorr with unequal arrays: a missing partner means the whole array, a failed one only its own task', async () => {
    const worker = await WorkerAtHand.join(at, { resources: { cpus: 9, memoryBytes: 0 } });
    const first = await at.submit({ array: '0-2' });
    const second = await at.submit({ array: '1-4', after: `aftercorr:${first}` });
    await worker.end(first, [1], 0);
    expect(at.states(second)).toEqual(['leased', 'blocked', 'blocked', 'blocked']);
    await worker.end(first, [2], 3);
    expect(at.states(second)).toEqual(['leased', 'skipped', 'blocked', 'blocked']);
    await worker.end(first, [0], 0);
    expect(at.states(second)).toEqual(['leased', 'skipped', 'skipped', 'skipped']);
    await at.coordinator.retry(CALLER, String(first), {});
    await at.ledger.idle();
    expect(at.states(second)).toEqual(['leased', 'blocked', 'blocked', 'blocked']);
    await worker.end(first, [2], 0);
    expect(at.states(second)).toEqual(['leased', 'leased', 'leased', 'leased']);
  });

  test('singletons of one name run one after another, in the order of their numbers', async () => {
    const worker = await WorkerAtHand.join(at, { resources: { cpus: 9, memoryBytes: 0 } });
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push(await at.submit({ name: 'alone', array: '0-1', after: 'singleton' }));
    const [first, second, third] = ids as [number, number, number];
    expect(worker.held.size).toBe(2);
    await worker.end(first, [0, 1]);
    expect([at.states(second), at.states(third)]).toEqual([
      ['leased', 'leased'],
      ['blocked', 'blocked'],
    ]);
  });
});

describe('a name', () => {
  test('of two live jobs is refused with both, of none for writing too; reading takes the newest', async () => {
    const first = await at.submit({ name: 'twice' });
    expect(await at.coordinator.job(CALLER, 'twice')).toMatchObject({ id: first });
    const second = await at.submit({ name: 'twice' });
    await expect(at.coordinator.job(CALLER, 'twice')).rejects.toMatchObject({ code: 'AMBIGUOUS_NAME' });
    await at.coordinator.cancel(CALLER, String(second), {});
    expect(await at.coordinator.job(CALLER, 'twice')).toMatchObject({ id: first });
    await at.coordinator.cancel(CALLER, 'twice', {});
    expect(await at.coordinator.job(CALLER, 'twice')).toMatchObject({ id: second });
    await expect(at.coordinator.cancel(CALLER, 'twice', {})).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    at.evictAll();
    expect(await at.coordinator.job(CALLER, 'twice')).toMatchObject({ id: second });
  });

  test('is found also while the end of its job is on its way to the store', async () => {
    const worker = await WorkerAtHand.join(at);
    await at.submit({ name: 'brief' });
    const ended = worker.end(1, [0]);
    expect(at.job(1).finished).toBe(true);
    expect(await at.coordinator.job(CALLER, 'brief')).toMatchObject({ state: 'completed' });
    await ended;
  });

  test('that is an array id is found live, ended and gone', async () => {
    const id = await at.submit({ name: 'thing' });
    const { arrayId } = await at.coordinator.job(CALLER, String(id));
    expect(await at.coordinator.job(CALLER, arrayId)).toMatchObject({ id });
    await at.coordinator.cancel(CALLER, arrayId, {});
    at.evictAll();
    expect(await at.coordinator.job(CALLER, arrayId)).toMatchObject({ id });
  });
});
