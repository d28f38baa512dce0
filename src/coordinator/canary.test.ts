import { beforeEach, describe, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { until } from '../../test/support/until.ts';
import type { JobSpecInput } from '../api/job-spec.ts';
import { chooseCanary } from '../core/canary.ts';

const SIZE = 12;
const CANCELLED = 4 * 256;
/** Made of the digits that chance gives here. */
const CANARY = [...chooseCanary(SIZE, 3, 'abcdef')];
const OTHER = [...Array(SIZE).keys()].find((position) => !CANARY.includes(position))!;

let at: LedgerAtHand;
let worker: WorkerAtHand;

beforeEach(async () => {
  at = await LedgerAtHand.open();
  worker = await WorkerAtHand.join(at, { resources: { cpus: 20, memoryBytes: 0 } });
});

async function submit(more: Partial<JobSpecInput> = {}): Promise<number> {
  const id = await at.submit({ array: `0-${SIZE - 1}`, canary: 3, ...more });
  await at.ledger.idle();
  return id;
}

function held(): number[] {
  return [...worker.held.values()].map(({ position }) => position).sort((a, b) => a - b);
}

function view(id: number) {
  return at.coordinator.job(CALLER, String(id));
}

function events(kind: string): unknown[] {
  return at.disk.content.events.filter((event) => event.kind === kind).map(({ detail }) => JSON.parse(detail));
}

async function endAll(id: number, outcome = 0): Promise<void> {
  for (const position of held()) await worker.end(id, [position], outcome);
}

describe('a canary', () => {
  test('runs first; when all of it completed the others run, also over a restart', async () => {
    const id = await submit();
    expect(held()).toEqual(CANARY);
    expect(await view(id)).toMatchObject({ canary: 'running' });
    const { tasks } = await at.coordinator.tasks(CALLER, `${id}`, { index: String(OTHER), limit: 1, after: -1 });
    expect(tasks[0]).toMatchObject({ state: 'ready', reason: 'waiting for the canary' });
    await worker.end(id, [CANARY[1]!]);
    await at.restart();
    worker.connect();
    await worker.resync();
    await worker.end(id, [CANARY[0]!]);
    expect(held()).toEqual([CANARY[2]]);
    await worker.end(id, [CANARY[2]!]);
    expect(held().length).toBe(SIZE - 3);
    expect(events('canaryPassed')).toEqual([{ tasks: 3 }]);
    await at.restart();
    expect(await view(id)).toMatchObject({ canary: 'passed' });
    worker.connect();
    await worker.resync();
    await endAll(id, 3);
    expect(await view(id)).toMatchObject({ state: 'failed', canary: 'passed', counts: { failed: 9 } });
    // Passed once is passed: what runs again does not wait.
    await at.coordinator.requeue(CALLER, String(id), {});
    await at.ledger.idle();
    expect(held().length).toBe(SIZE);
  });

  test('that fails cancels the rest, once all of it has ended', async () => {
    const id = await submit();
    await worker.end(id, [CANARY[0]!], 3);
    await worker.end(id, [CANARY[1]!]);
    expect(at.states(id).filter((state) => state === 'cancelled')).toEqual([]);
    await worker.end(id, [CANARY[2]!], 9 + 256);
    const reason = 'canary failed: 2 of 3 did not complete';
    const failed = { state: 'failed', canary: 'failed', reason, counts: { completed: 1, failed: 2, cancelled: 9 } };
    expect(await view(id)).toMatchObject(failed);
    expect(events('canaryFailed')).toEqual([{ tasks: 3, notCompleted: 2, cancelled: 9 }]);
    const { tasks } = await at.coordinator.tasks(CALLER, String(id), { state: 'cancelled', limit: 99, after: -1 });
    expect(new Set(tasks.map((task) => task.reason))).toEqual(new Set(['canary failed']));
    at.evictAll();
    expect(await view(id)).toMatchObject(failed);
  });

  test('that is retried with its job runs first again, and the rest waits for it', async () => {
    const id = await submit();
    await endAll(id, 3);
    at.evictAll();
    await at.coordinator.retry(CALLER, String(id), {});
    await at.ledger.idle();
    expect(held()).toEqual(CANARY);
    expect(await view(id)).toMatchObject({ state: 'running', canary: 'running' });
    await endAll(id);
    expect(held().length).toBe(SIZE - 3);
    await endAll(id);
    expect(await view(id)).toMatchObject({ state: 'completed', canary: 'passed' });
  });

  test('whose failed tasks alone are retried passes, or fails again', async () => {
    const id = await submit();
    await worker.end(id, [CANARY[0]!]);
    await endAll(id, 3);
    await at.coordinator.retry(CALLER, `${id}_[${CANARY[1]}]`, {});
    await at.ledger.idle();
    expect(held()).toEqual([CANARY[1]]);
    await endAll(id);
    expect(await view(id)).toMatchObject({ canary: 'failed', reason: 'canary failed: 1 of 3 did not complete' });
    await at.coordinator.retry(CALLER, `${id}_[${CANARY[2]}]`, {});
    await at.ledger.idle();
    await endAll(id);
    // What it had cancelled stays cancelled until somebody retries that.
    expect(await view(id)).toMatchObject({ state: 'cancelled', canary: 'passed' });
    await at.coordinator.retry(CALLER, String(id), {});
    await at.ledger.idle();
    expect(held().length).toBe(SIZE - 3);
  });

  test('that failed does not keep back a task that a person retries by name', async () => {
    const id = await submit();
    await endAll(id, 3);
    await at.coordinator.retry(CALLER, `${id}_${OTHER}`, {});
    await at.ledger.idle();
    expect(held()).toEqual([OTHER]);
    await endAll(id);
    expect(await view(id)).toMatchObject({ canary: 'failed', counts: { completed: 1 } });
  });

  test('takes its retries first', async () => {
    const id = await submit({ retries: 1 });
    await endAll(id, 3);
    expect(held()).toEqual(CANARY);
    await endAll(id);
    expect(held().length).toBe(SIZE - 3);
  });

  test('fails when a person cancels one of it', async () => {
    const id = await submit({ throttle: 1 });
    expect(held()).toEqual([CANARY[0]]);
    await at.coordinator.cancel(CALLER, `${id}_${CANARY[1]}`, {});
    await endAll(id);
    expect(held()).toEqual([CANARY[2]]);
    await endAll(id);
    expect(await view(id)).toMatchObject({ canary: 'failed', reason: 'canary failed: 1 of 3 did not complete' });
  });

  test('waits for one of it that is held, and says so', async () => {
    const id = await submit({ hold: true });
    await at.coordinator.hold(CALLER, `${id}_${CANARY[1]}`, {});
    await at.coordinator.release(CALLER, `${id}_[${CANARY[0]},${CANARY[2]}]`, {});
    await at.ledger.idle();
    await endAll(id);
    expect(held()).toEqual([]);
    expect(await view(id)).toMatchObject({ state: 'ready', reason: 'waiting for the canary, which is held by a user' });
    await at.coordinator.release(CALLER, `${id}_${CANARY[1]}`, {});
    await at.ledger.idle();
    expect(held()).toEqual([CANARY[1]]);
  });

  test('leaves the reason to max failures when that is reached first', async () => {
    const id = await submit({ maxFailures: 0 });
    await worker.end(id, [CANARY[0]!], 3);
    await endAll(id, CANCELLED);
    expect(await view(id)).toMatchObject({ state: 'failed', canary: 'failed', reason: 'max failures reached' });
    expect(events('canaryFailed')).toEqual([{ tasks: 3, notCompleted: 3, cancelled: 0 }]);
  });

  test('says nothing when its whole job is cancelled or skipped with it', async () => {
    const id = await submit({ hold: true });
    await at.coordinator.cancel(CALLER, String(id), {});
    const skipped = await submit({ after: `afterok:${id}` });
    for (const job of [id, skipped]) {
      expect(await view(job)).toMatchObject({ canary: 'failed' });
      expect(await view(job)).not.toHaveProperty('reason');
    }
    expect(events('canaryFailed')).toEqual([]);
    await at.coordinator.retry(CALLER, String(id), {});
    await at.coordinator.release(CALLER, String(id), {});
    await at.ledger.idle();
    expect(held()).toEqual(CANARY);
    expect(await view(skipped)).toMatchObject({ state: 'blocked', canary: 'running' });
  });

  test('as large as the job, or larger, is the whole job', async () => {
    const id = await submit({ canary: 10_000 });
    expect(held().length).toBe(SIZE);
    await endAll(id);
    expect(await view(id)).toMatchObject({ state: 'completed', canary: 'passed' });
  });
});

describe('a canary of a job whose tasks wait for partners', () => {
  test('waits for its own partners, and keeps the others back that are ready', async () => {
    const first = await at.submit({ array: `0-${SIZE - 1}` });
    const id = await submit({ after: `aftercorr:${first}` });
    await worker.end(first, [OTHER]);
    expect(at.states(id)[OTHER]).toBe('ready');
    expect(held()).not.toContain(OTHER);
    await worker.end(first, CANARY);
    const ofSecond = () => [...worker.held.values()].filter(({ job }) => job === id).map(({ position }) => position);
    await until('the canary', () => ofSecond().length === 3);
    expect(ofSecond()).toEqual(CANARY);
    for (const position of CANARY) await worker.end(id, [position]);
    expect(ofSecond()).toEqual([OTHER]);
  });

  test('fails with a partner, and runs again when that is retried', async () => {
    const first = await at.submit({ array: `0-${SIZE - 1}` });
    const id = await submit({ after: `aftercorr:${first}` });
    await worker.end(first, [CANARY[0]!], 3);
    await worker.end(first, CANARY.slice(1));
    for (const position of CANARY.slice(1)) await worker.end(id, [position]);
    expect(await view(id)).toMatchObject({ canary: 'failed', counts: { skipped: 1, completed: 2, cancelled: 9 } });
    await at.coordinator.retry(CALLER, `${first}_${CANARY[0]}`, {});
    await at.ledger.idle();
    expect(await view(id)).toMatchObject({ canary: 'running', counts: { blocked: 1 } });
    await worker.end(first, [CANARY[0]!]);
    await worker.end(id, [CANARY[0]!]);
    expect(await view(id)).toMatchObject({ canary: 'passed', counts: { completed: 3, cancelled: 9 } });
  });
});
