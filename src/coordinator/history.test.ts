import { beforeEach, describe, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { HistoryQuery, type HistoryQueryInput, HistoryReply } from '../api/history.ts';
import { encodeOutcome } from '../core/outcome.ts';

let at: LedgerAtHand;

beforeEach(async () => {
  at = await LedgerAtHand.open();
});

async function ask(query: HistoryQueryInput = {}): Promise<HistoryReply> {
  return HistoryReply.parse(await at.coordinator.history(CALLER, HistoryQuery.parse(query)));
}

/** `1 ready Resources 0-7` and `1_3 running 1`, one a line; an attempt that another one followed ends with `again`. */
function linesOf({ jobs }: HistoryReply): string[] {
  return jobs.flatMap(({ job, groups, tasks }) => [
    ...tasks.map(({ id, state, attempt, again }) => `${id} ${state} ${attempt}${again === true ? ' again' : ''}`),
    ...groups.map(({ state, reason, indices }) => `${job.id} ${state} ${reason} ${indices}`),
  ]);
}

const lines = async (query: HistoryQueryInput = {}) => linesOf(await ask(query));

async function allLines(query: HistoryQueryInput): Promise<{ all: string[]; pages: number }> {
  const all: string[] = [];
  let pages = 0;
  for (let after: string | undefined; pages === 0 || after !== undefined; pages++) {
    const page = await ask({ ...query, ...(after === undefined ? {} : { after }) });
    all.push(...linesOf(page));
    after = page.next;
  }
  return { all, pages };
}

const FAILED = encodeOutcome({ kind: 'exited', code: 3 });

describe('history', () => {
  test('tells what has started one by one and the rest in groups, from the store as from memory', async () => {
    const id = await at.submit({ array: '0-5' });
    await at.coordinator.cancel(CALLER, `${id}_5`, {});
    const worker = await WorkerAtHand.join(at);
    await worker.start(id, 0, 1);
    await worker.end(id, [0], FAILED);
    await worker.end(id, [1]);
    await worker.start(id, 2);
    const both = [`${id}_0 failed 1`, `${id}_1 completed 1`];
    const rest = [`${id}_2 running 1`, `${id} leased None 3-4`, `${id} cancelled None 5`];
    expect(await lines()).toEqual([...both, ...rest]);
    const [failed] = (await ask()).jobs[0]!.tasks;
    expect(failed).toMatchObject({ exitCode: 3, cause: 'exited', process: { code: 3 }, worker: 'w', lane: 0 });
    await worker.end(id, [2]);
    await worker.start(id, 3, 4);
    await worker.end(id, [3, 4]);
    at.evictAll();
    expect(at.ledger.memory.jobs.size).toBe(0);
    const more = [2, 3, 4].map((index) => `${id}_${index} completed 1`);
    expect(await lines()).toEqual([...both, ...more, `${id} cancelled None 5`]);
  });

  test('begins with jobs that are no arrays', async () => {
    const array = await at.submit({ array: '0-1', hold: true });
    const plain = await at.submit({ hold: true, slurm: { name: 'nf-x (1)' } });
    await at.coordinator.cancel(CALLER, String(plain), {});
    at.evictAll();
    const last = await at.submit({ hold: true });
    const all = [`${plain} cancelled JobHeldUser 0`, `${last} ready JobHeldUser 0`, `${array} ready JobHeldUser 0-1`];
    expect(await lines()).toEqual(all);
    for (const limit of [1, 2, 3]) expect((await allLines({ limit })).all).toEqual(all);
    expect(await lines({ names: 'nf-x (1)' })).toEqual([all[0]]);
    expect(await lines({ names: ['nf-x (1)', 'no'] })).toEqual([all[0]]);
    expect(await lines({ owners: ['7', '1000'] })).toEqual(all);
    expect(await lines({ owners: ['7', '@me'] })).toEqual(all);
    expect(await lines({ owners: '7' })).toEqual([]);
    expect(await lines({ owners: '7', mine: '1' })).toEqual(all);
  });

  test('tells every attempt where that is asked for', async () => {
    const id = await at.submit({ array: '0-2' });
    const worker = await WorkerAtHand.join(at);
    await worker.start(id, 0, 1);
    await worker.end(id, [0], FAILED);
    await worker.end(id, [1]);
    await at.coordinator.requeue(CALLER, `${id}_0`, { hold: true });
    const waits = `${id} ready job_requeued_in_held_state 0`;
    expect(await lines({ ids: `${id}_0` })).toEqual([waits]);
    expect(await lines({ ids: `${id}_0`, attempts: 'all' })).toEqual([`${id}_0 failed 1 again`, waits]);
    await at.coordinator.release(CALLER, `${id}_0`, {});
    await worker.start(id, 0);
    const running = [`${id}_0 failed 1 again`, `${id}_0 running 2`];
    expect(await lines({ ids: `${id}_0`, attempts: 'all' })).toEqual(running);
    expect(await lines({ ids: `${id}_0` })).toEqual([`${id}_0 running 2`]);
    await worker.end(id, [0]);
    const ended = [`${id}_0 failed 1 again`, `${id}_0 completed 2`];
    expect(await lines({ ids: `${id}_0`, attempts: 'all' })).toEqual(ended);
    expect(await lines({ ids: `${id}_0` })).toEqual([`${id}_0 completed 2`]);
    expect((await ask({ ids: `${id}_0`, attempts: 'all' })).jobs[0]!.tasks).toMatchObject([
      { exitCode: 3, again: true },
      { exitCode: 0 },
    ]);
  });

  test('holds to states, ids and times', async () => {
    const worker = await WorkerAtHand.join(at);
    const first = await at.submit({ array: '0-1' });
    await worker.start(first, 0, 1);
    await worker.end(first, [0], FAILED);
    await worker.end(first, [1]);
    at.evictAll();
    at.clock.pass(100_000);
    const second = await at.submit({ array: '0-1', hold: true });
    const now = at.clock.nowMs;
    expect(await lines({ states: 'failed' })).toEqual([`${first}_0 failed 1`]);
    expect(await lines({ ids: `${first}_1,77` })).toEqual([`${first}_1 completed 1`]);
    expect((await ask({ ids: `${first}_1,77` })).missing).toEqual(['77']);
    expect(await lines({ endedFrom: now - 50_000 })).toEqual([`${second} ready JobHeldUser 0-1`]);
    expect(await lines({ createdTo: now - 50_000 })).toEqual([`${first}_0 failed 1`, `${first}_1 completed 1`]);
    await expect(ask({ after: 'x' })).rejects.toThrow(/next/);
  });

  test('tells what a job became that ran again between two pages', async () => {
    const id = await at.submit({ array: '0-3' });
    const worker = await WorkerAtHand.join(at, { resources: { cpus: 4, memoryBytes: 2 ** 30 } });
    await worker.start(id, 0, 1, 2, 3);
    await worker.end(id, [0, 1, 2, 3]);
    at.evictAll();
    const { next } = await ask({ limit: 2 });
    expect(await lines({ limit: 1, after: next! })).toEqual([`${id}_2 completed 1`]);
    await at.coordinator.requeue(CALLER, `${id}_[2-3]`, {});
    at.clock.pass(1_000);
    await worker.start(id, 2, 3);
    await worker.end(id, [2], FAILED);
    await worker.end(id, [3]);
    at.evictAll();
    expect(at.ledger.memory.jobs.size).toBe(0);
    expect(await lines({ after: next! })).toEqual([`${id}_2 failed 2`, `${id}_3 completed 2`]);
  });

  test('comes in pages that together tell what one page does', async () => {
    const worker = await WorkerAtHand.join(at, { resources: { cpus: 40, memoryBytes: 2 ** 40 } });
    const first = await at.submit({ array: '0-19' });
    await worker.start(first, ...Array.from({ length: 20 }, (_, i) => i));
    await worker.end(first, [1, 3, 5, 7]);
    await worker.end(first, [0, 2], FAILED);
    await at.coordinator.retry(CALLER, `${first}_2`, {});
    for (let plain = 0; plain < 5; plain++) await at.submit({ hold: plain % 2 === 0 });
    const gone = await at.submit({ array: '0-9', hold: true });
    await at.coordinator.cancel(CALLER, String(gone), {});
    at.evictAll();
    for (const attempts of ['last', 'all'] as const) {
      const whole = await lines({ attempts });
      for (const limit of [1, 2, 3, 7, 20, 21, 30]) {
        const { all, pages } = await allLines({ attempts, limit });
        const tasks = (some: string[]) => some.filter((line) => line.includes('_'));
        expect(tasks(all)).toEqual(tasks(whole));
        expect(pages).toBeGreaterThan(limit < 21 ? 1 : 0);
      }
    }
  });
});
