import { beforeEach, describe, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { QueueQuery, type QueueQueryInput, QueueReply } from '../api/queue.ts';
import { encodeOutcome } from '../core/outcome.ts';

let at: LedgerAtHand;

beforeEach(async () => {
  at = await LedgerAtHand.open();
});

async function ask(query: QueueQueryInput = {}): Promise<QueueReply> {
  return QueueReply.parse(await at.coordinator.queue(CALLER, QueueQuery.parse(query)));
}

/** `1 ready Resources 0-7 (8)` and `1_3 running`, one a line. */
function linesOf({ jobs }: QueueReply): string[] {
  return jobs.flatMap(({ job, groups, tasks }) => [
    ...groups.map(({ state, reason, indices, count }) => `${job.id} ${state} ${reason} ${indices} (${count})`),
    ...tasks.map(({ id, state }) => `${id} ${state}`),
  ]);
}

const lines = async (query: QueueQueryInput = {}) => linesOf(await ask(query));

/** Every page. */
async function allLines(query: QueueQueryInput): Promise<string[]> {
  const all: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await ask({ ...query, ...(after === undefined ? {} : { after }) });
    all.push(...linesOf(page));
    after = page.next;
    if (after === undefined) return all;
  }
}

describe('what waits', () => {
  test('is a group for all that wait for the same', async () => {
    const id = await at.submit({ array: '0-9' });
    expect(await lines()).toEqual([`${id} ready ReqNodeNotAvail 0-9 (10)`]);
    const worker = await WorkerAtHand.join(at);
    expect(await lines()).toEqual([`${id} leased None 0-1 (2)`, `${id} ready Resources 2-9 (8)`]);
    await worker.start(id, 0, 1);
    const second = await at.submit({ array: '1-9:2' });
    await at.coordinator.hold(CALLER, `${id}_[4,6]`, {});
    expect(await lines()).toEqual([
      // It has two slots, the other none: that one is next.
      `${id} ready Priority 2-3,5,7-9 (6)`,
      `${id} ready JobHeldUser 4,6 (2)`,
      `${id}_0 running`,
      `${id}_1 running`,
      `${second} ready Resources 1-9:2 (5)`,
    ]);
  });

  test('tells its needs, its priority and what it waits for', async () => {
    const first = await at.submit({ name: 'first' });
    const id = await at.submit({ array: '0-3', after: `afterok:${first}`, cpus: 2 });
    await at.coordinator.update(CALLER, `${id}_2`, { priority: 5, timeLimitMs: 60_000 });
    const { jobs } = await ask({ ids: String(id) });
    expect(jobs[0]!.lanes).toMatchObject([
      { priority: 0, cpus: 2, timeLimitMs: 0 },
      { priority: 5, cpus: 2, timeLimitMs: 60_000 },
    ]);
    const shared = { state: 'blocked', reason: 'Dependency', after: `afterok:${first}` };
    expect(jobs[0]!.groups).toEqual([
      { ...shared, indices: '0-1,3', count: 3, lane: 0 },
      { ...shared, indices: '2', count: 1, lane: 1 },
    ]);
  });

  test('says why, whatever it is', async () => {
    const begin = await at.submit({ beginInMs: 60_000 });
    const held = await at.submit({ array: '0-1', hold: true });
    const failed = await at.submit();
    await at.coordinator.cancel(CALLER, String(failed), {});
    const never = await at.submit({ after: `afterok:${failed}`, invalidDependency: 'wait' });
    const wide = await at.submit({ cpus: 64 });
    const throttled = await at.submit({ array: '0-2', throttle: 1, priority: 1 });
    await WorkerAtHand.join(at);
    expect(await lines()).toEqual([
      `${begin} ready BeginTime 0 (1)`,
      `${held} ready JobHeldUser 0-1 (2)`,
      `${never} blocked DependencyNeverSatisfied 0 (1)`,
      `${wide} ready PartitionNodeLimit 0 (1)`,
      `${throttled} leased None 0 (1)`,
      `${throttled} ready JobArrayTaskLimit 1-2 (2)`,
    ]);
  });
});

test('tells what became of each term of a dependency, also of what was skipped for it', async () => {
  const [first, second] = [await at.submit({ hold: true }), await at.submit({ hold: true })];
  const either = await at.submit({ after: `afterok:${first}?afterok:${second}`, invalidDependency: 'wait' });
  const both = await at.submit({ after: `afterok:${first},afterok:${second}`, invalidDependency: 'wait' });
  const skipped = await at.submit({ after: `afterok:${first}` });
  const terms = async (id: number) =>
    (await ask({ ids: String(id), ended: 60 })).jobs[0]!.groups.map((group) => group.terms);
  expect(await terms(either)).toEqual([undefined]);
  await at.coordinator.cancel(CALLER, String(first), {});
  expect([await terms(either), await terms(both)]).toEqual([[['failed', 'pending']], [['failed', 'pending']]]);
  expect((await ask({ ids: String(skipped), ended: 60 })).jobs[0]!.groups).toMatchObject([
    { state: 'skipped', after: `afterok:${first}`, terms: ['failed'] },
  ]);
});

describe('filters', () => {
  test('of ids, names, owners and states hold together', async () => {
    const one = await at.submit({ array: '0-4', name: 'one' });
    const two = await at.submit({ array: '0-4', name: 'two', slurm: { name: 'two of it' } });
    const worker = await WorkerAtHand.join(at);
    await worker.start(one, 0);
    expect(await lines({ names: ['two', 'three'] })).toEqual(await lines({ names: 'two of it' }));
    expect(await lines({ ids: `${one}_[0,3-4],${two}` })).toEqual([
      `${one} ready Resources 3-4 (2)`,
      `${one}_0 running`,
      ...(await lines({ ids: String(two) })),
    ]);
    expect(await lines({ ids: String(one), names: 'two' })).toEqual([]);
    const all = await lines({ ids: String(one) });
    await at.coordinator.update(CALLER, String(one), { slurm: { name: 'anew' } });
    expect([await lines({ names: 'one' }), await lines({ names: 'anew' })]).toEqual([[], all]);
    expect(await lines({ owners: 'nobody' })).toEqual([]);
    expect(await lines({ owners: CALLER.owner, states: 'running' })).toEqual([`${one}_0 running`]);
    expect((await ask({ ids: String(two), states: 'running' })).jobs).toEqual([]);
  });

  test('tell ids that name nothing', async () => {
    const id = await at.submit({ name: 'mine' });
    expect(await lines({ owners: '@me' })).toEqual(await lines());
    expect(await lines({ owners: ['7', 'me'] })).toEqual([]);
    const reply = await ask({ ids: ['mine,77,nobody', '78_[1-3]'] });
    expect(reply.missing.toSorted()).toEqual(['77', '78_[1-3]', 'nobody']);
    expect(linesOf(reply)).toEqual([`${id} ready ReqNodeNotAvail 0 (1)`]);
  });

  test('refuse what they cannot read', async () => {
    await expect(ask({ states: 'asleep' })).rejects.toThrow(/where: state|asleep/);
    await expect(ask({ after: 'x' })).rejects.toThrow(/next/);
  });
});

describe('what has ended', () => {
  test('is told for as long as is asked, with how it ended', async () => {
    const id = await at.submit({ array: '0-3' });
    const worker = await WorkerAtHand.join(at);
    await worker.start(id, 0, 1);
    await worker.end(id, [0], encodeOutcome({ kind: 'exited', code: 3 }));
    at.clock.pass(100_000);
    await worker.end(id, [1]);
    at.clock.pass(100_000);
    expect(await lines({ states: 'failed,completed' })).toEqual([]);
    const { jobs } = await ask({ ended: 300, states: 'failed,completed' });
    expect(jobs[0]!.tasks).toMatchObject([
      { id: `${id}_0`, state: 'failed', exitCode: 3, worker: 'w', lane: 0 },
      { id: `${id}_1`, state: 'completed', exitCode: 0 },
    ]);
    expect(await lines({ ended: 150, states: 'failed,completed' })).toEqual([`${id}_1 completed`]);
  });

  test('without a start is told in groups', async () => {
    const id = await at.submit({ array: '0-5', hold: true });
    await at.coordinator.cancel(CALLER, `${id}_[1-2]`, {});
    expect(await lines()).toEqual([`${id} ready JobHeldUser 0,3-5 (4)`]);
    expect(await lines({ ended: 1 })).toEqual([
      `${id} ready JobHeldUser 0,3-5 (4)`,
      `${id} cancelled JobHeldUser 1-2 (2)`,
    ]);
  });

  test('is told from the store as from memory; a job that was named also long after', async () => {
    const id = await at.submit({ array: '0-1' });
    const worker = await WorkerAtHand.join(at);
    await worker.start(id, 0, 1);
    await worker.end(id, [0, 1]);
    const ended = [`${id}_0 completed`, `${id}_1 completed`];
    expect(await lines({ ended: 10 })).toEqual(ended);
    at.evictAll();
    expect(at.ledger.memory.jobs.size).toBe(0);
    expect(await lines({ ended: 10 })).toEqual(ended);
    expect(await lines()).toEqual([]);
    at.clock.pass(3_600_000);
    expect(await lines({ ended: 10 })).toEqual([]);
    expect(await lines({ ended: 10, ids: String(id) })).toEqual(ended);
    const { jobs, missing } = await ask({ ids: String(id) });
    expect(missing).toEqual([]);
    expect(jobs).toMatchObject([{ job: { id, state: 'completed' }, groups: [], tasks: [] }]);
  });

  test('and runs again is told once', async () => {
    const id = await at.submit({ array: '0-1' });
    const worker = await WorkerAtHand.join(at);
    await worker.start(id, 0, 1);
    await worker.end(id, [0], encodeOutcome({ kind: 'exited', code: 1 }));
    await at.coordinator.retry(CALLER, String(id), {});
    expect(await lines({ ended: 10 })).toEqual([`${id} leased None 0 (1)`, `${id}_1 running`]);
  });
});

describe('pages', () => {
  test('together tell what one page does', async () => {
    const worker = await WorkerAtHand.join(at, { resources: { cpus: 40, memoryBytes: 2 ** 40 } });
    const first = await at.submit({ array: '0-19' });
    const second = await at.submit({ array: '0-29' });
    await worker.start(first, ...Array.from({ length: 20 }, (_, i) => i));
    await worker.end(first, [1, 3, 5, 7]);
    await at.coordinator.hold(CALLER, `${second}_[25-29]`, {});
    const query = { ended: 60 };
    const tasks = (all: string[]) => all.filter((line) => line.includes('_'));
    const whole = await lines(query);
    for (const limit of [1, 2, 3, 7, 20, 21, 22, 23, 30]) {
      const paged = await allLines({ ...query, limit });
      expect(tasks(paged)).toEqual(tasks(whole));
      const counted = (all: string[]) => all.reduce((sum, line) => sum + Number(/\((\d+)\)$/.exec(line)?.[1] ?? 0), 0);
      expect(counted(paged)).toBe(counted(whole));
    }
  });

  test('of very many stretches are cut short', async () => {
    const size = 100_000;
    const id = await at.submit({ array: `0-${size - 1}` });
    for (let position = 0; position < size; position += 3) at.job(id).table.setFlag(position, 4, true);
    let tasks = 0;
    let pages = 0;
    for (let after: string | undefined; pages === 0 || after !== undefined; pages++) {
      const page = await ask(after === undefined ? {} : { after });
      for (const { groups } of page.jobs) tasks += groups.reduce((sum, { count }) => sum + count, 0);
      after = page.next;
    }
    expect(tasks).toBe(size);
    expect(pages).toBeGreaterThan(1);
  });
});
