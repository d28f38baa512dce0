import { expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import type { MemoryStoreHooks } from '../../test/support/memory-store.ts';
import { until } from '../../test/support/until.ts';
import { SpawnError } from '../core/errors.ts';

/** A store that refuses commits when told to, and that can take its time to be read. */
class Faulty implements MemoryStoreHooks {
  refuse: 'STORE_FULL' | 'STORE_FAILED' | 'STORE_LOCKED' | undefined;
  commits = 0;
  loads = 0;
  #loading: Promise<void> = Promise.resolve();
  openGate: () => void = () => {};

  beforeCommit = () => {
    this.commits++;
    if (this.refuse === 'STORE_LOCKED') throw new SpawnError(this.refuse, { host: 'elsewhere', pid: 1 });
    if (this.refuse !== undefined) throw new SpawnError(this.refuse as 'STORE_FAILED', { why: 'the test said so' });
    return 'ok' as const;
  };

  beforeLoad = () => {
    this.loads++;
    return this.#loading;
  };

  /** The next load waits until the gate is opened. */
  closeGate(): void {
    this.#loading = new Promise((resolve) => {
      this.openGate = resolve;
    });
  }
}

async function open(): Promise<{ at: LedgerAtHand; store: Faulty }> {
  const store = new Faulty();
  return { at: await LedgerAtHand.open({ hooks: store, beforeLoad: store.beforeLoad }), store };
}

/** A commit is refused, and memory is being rebuilt until the gate opens. */
async function failCommit(at: LedgerAtHand, store: Faulty): Promise<void> {
  store.closeGate();
  store.refuse = 'STORE_FAILED';
  const { loads } = store;
  at.submit().catch(() => {});
  await until('the rebuild', () => store.loads > loads);
  store.refuse = undefined;
}

test('a verb that arrives while memory is rebuilt finds its ended job and the followers of it', async () => {
  const { at, store } = await open();
  const worker = await WorkerAtHand.join(at);
  const first = await at.submit();
  const second = await at.submit({ after: `afterok:${first}` });
  await worker.end(first, [0], 3);
  expect(at.states(second)).toEqual(['skipped']);
  at.evictAll();
  await failCommit(at, store);
  const old = at.ledger.memory;
  const retried = at.coordinator.retry(CALLER, String(first), {});
  await until('the job in the memory that goes', () => old.jobs.has(second));
  store.openGate();
  expect(await retried).toMatchObject({ tasks: 1 });
  expect(at.ledger.memory).not.toBe(old);
  expect(at.states(second)).toEqual(['blocked']);
});

test('a worker that connects again while memory is rebuilt gets grants', async () => {
  const { at, store } = await open();
  const worker = await WorkerAtHand.join(at);
  await failCommit(at, store);
  expect(worker.closed).toBe(1);
  worker.connect();
  store.openGate();
  const id = await at.submit();
  await at.ledger.idle();
  expect([...worker.held.values()]).toEqual([{ job: id, position: 0 }]);
});

test('a job whose submit is refused is never shown', async () => {
  const { at, store } = await open();
  store.closeGate();
  store.refuse = 'STORE_FAILED';
  const refused = at.submit({ name: 'ghost' });
  const read = at.coordinator.job(CALLER, '1');
  const tasks = at.coordinator.tasks(CALLER, '1', { limit: 10, after: -1 });
  const list = at.coordinator.jobs(CALLER, { show: 'all', limit: 10 });
  const outcomes = Promise.allSettled([refused, read, tasks, list]);
  await until('the rebuild', () => store.loads > 1);
  store.refuse = undefined;
  store.openGate();
  const [, one, its, all] = await outcomes;
  expect(one).toMatchObject({ status: 'rejected', reason: { code: 'JOB_NOT_FOUND' } });
  expect(its).toMatchObject({ status: 'rejected', reason: { code: 'JOB_NOT_FOUND' } });
  expect(all).toMatchObject({ status: 'fulfilled', value: { jobs: [] } });
});

test('with a full store memory is not rebuilt again and again, and sessions stay', async () => {
  const { at, store } = await open();
  const worker = await WorkerAtHand.join(at);
  worker.disconnect();
  const id = await at.submit({ array: '0-9' });
  store.refuse = 'STORE_FULL';
  await expect(at.coordinator.cancel(CALLER, `${id}_9`, {})).rejects.toMatchObject({ code: 'STORE_FULL' });
  const { loads, commits } = store;
  for (let i = 0; i < 5; i++) {
    worker.connect();
    expect(await worker.say({})).toMatchObject({ deferred: false });
    expect(await worker.resync()).toMatchObject({ deferred: true });
    expect(await at.coordinator.job(CALLER, String(id))).toMatchObject({ id });
    await at.ledger.idle();
  }
  expect([store.loads, store.commits]).toEqual([loads, commits]);
  store.refuse = undefined;
  at.ledger.reopen();
  await at.ledger.idle();
  expect(worker.held.size).toBe(2);
});

test('a delay that passes while the store is full does its work when there is space again', async () => {
  const { at, store } = await open();
  const worker = await WorkerAtHand.join(at);
  const first = await at.submit();
  const second = await at.submit({ after: `after:${first}+1` });
  await worker.start(first, 0);
  store.refuse = 'STORE_FULL';
  at.clock.pass(61_000);
  await expect(at.submit()).rejects.toMatchObject({ code: 'STORE_FULL' });
  await at.ledger.idle();
  expect(at.states(second)).toEqual(['blocked']);
  store.refuse = undefined;
  at.ledger.reopen();
  worker.connect();
  await at.ledger.idle();
  expect(at.states(second)).toEqual(['leased']);
});

test('a bug of ours refuses all that is not durable, and leaves nothing of it', async () => {
  const { at } = await open();
  const twin = at.submit({ name: 'twin' });
  const broken = at.ledger.write((world) => {
    world.memory.counters.nextJob = 99;
    throw new TypeError('a bug');
  });
  await expect(broken).rejects.toThrow('a bug');
  await expect(twin).rejects.toMatchObject({ code: 'STORE_FAILED' });
  expect(await at.submit()).toBe(1);
});

test('a store that another coordinator took ends this one, and nothing is shown or taken any more', async () => {
  const { at, store } = await open();
  const id = await at.submit();
  store.refuse = 'STORE_LOCKED';
  await expect(at.submit()).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  expect(at.fatal).toHaveLength(1);
  await expect(at.coordinator.job(CALLER, String(id))).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  await expect(at.submit()).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  await at.coordinator.stop();
});
