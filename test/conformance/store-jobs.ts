import { describe, expect, test } from 'vitest';
import type { StoredJobsQuery } from '../../src/store/store.ts';
import { aBatch, aJob, bytes } from '../support/store-rows.ts';
import { counters, reopen, type StoreWorld } from './store-world.ts';

export function describeOpening(world: StoreWorld): void {
  describe('opening', () => {
    test('a new store is empty, and its counters begin at their first numbers', async () => {
      expect(await world.store.load()).toEqual({
        counters: { nextJob: 1, nextRaw: 1_000_000_000, nextFence: 1, nextSession: 1 },
        jobs: [],
        grants: [],
        sessions: [],
        tokens: [],
        instances: [],
        budgets: [],
        alerts: [],
        deliveries: [],
        delivered: [],
      });
      expect(await world.store.loadJob(1)).toBeUndefined();
      expect(await world.store.findKey('1000', 'k')).toBeUndefined();
      expect(await world.store.findSessions([1])).toEqual([]);
    });

    test('the store keeps its id; its epoch grows with each opening', async () => {
      const { storeId, epoch } = world.store;
      expect(storeId).toMatch(/^[0-9a-f]{12}$/);
      await reopen(world);
      expect(world.store.storeId).toBe(storeId);
      expect(world.store.epoch).toBeGreaterThan(epoch);
    });

    test('close may be called twice; then every call is refused', async () => {
      await world.store.close();
      await world.store.close();
      const failed = { code: 'STORE_FAILED' };
      await expect(world.store.load()).rejects.toMatchObject(failed);
      await expect(world.store.commit(aBatch())).rejects.toMatchObject(failed);
      await expect(world.store.findJobs({ live: true, limit: 1 })).rejects.toMatchObject(failed);
    });

    test('close waits for the commits under way', async () => {
      const commits = [1, 2, 3].map((id) => world.store.commit(aBatch({ newJobs: [aJob(id)] })));
      await world.store.close();
      await expect(Promise.all(commits)).resolves.toHaveLength(3);
      world.store = await world.memory.open();
      expect((await world.store.load()).jobs.map(({ job }) => job.id)).toEqual([1, 2, 3]);
    });

    test('size tells the bytes held, and more when there is more', async () => {
      const before = await world.store.size();
      await world.store.commit(
        aBatch({ newJobs: [aJob(1)], pages: [{ jobId: 1, page: 0, data: new Uint8Array(200_000).fill(1) }] }),
      );
      expect(await world.store.size()).toBeGreaterThanOrEqual(before + 200_000);
    });
  });
}

export function describeJobs(world: StoreWorld): void {
  describe('jobs', () => {
    test('a job comes back as it was given, with every field', async () => {
      const full = aJob(7, {
        name: 'näme "quoted" \u2028',
        indices: '0-99:2,200',
        size: 51,
        held: true,
        throttle: 50,
        priority: -3,
        counts: [1, 2, 3, 4, 5, 6, 7, 8],
        startedAt: 1_767_225_600_123,
        exitCode: 137,
        retried: 2,
        meanWallUs: 12.75,
        extra: '{"terms":["open"]}',
      });
      full.spec = { ...full.spec, env: { A: 'x\ny', B: '' }, timeLimitMs: 1000, maxFailures: 3 };
      await world.store.commit(aBatch({ newJobs: [full, aJob(8)], counters: counters(9) }));
      expect(await world.store.load()).toEqual({
        counters: counters(9),
        jobs: [
          { job: full, pages: [], dependents: [] },
          { job: aJob(8), pages: [], dependents: [] },
        ],
        grants: [],
        sessions: [],
        tokens: [],
        instances: [],
        budgets: [],
        alerts: [],
        deliveries: [],
        delivered: [],
      });
      await reopen(world);
      expect((await world.store.loadJob(7))?.job).toEqual(full);
      expect((await world.store.load()).counters).toEqual(counters(9));
    });

    test('a change replaces what changes and nothing else', async () => {
      await world.store.commit(aBatch({ newJobs: [aJob(1), aJob(2)] }));
      const { spec: _spec, ...changed } = aJob(1, { held: true, counts: [0, 0, 10], meanWallUs: 5, name: 'ignored' });
      await world.store.commit(aBatch({ jobs: [changed] }));
      await reopen(world);
      expect((await world.store.loadJob(1))?.job).toEqual(aJob(1, { held: true, counts: [0, 0, 10], meanWallUs: 5 }));
      expect((await world.store.loadJob(2))?.job).toEqual(aJob(2));
    });

    test('a job that ended is not loaded, but found; one that lives again is loaded', async () => {
      const ended = aJob(1, { endedAt: 99 });
      await world.store.commit(aBatch({ newJobs: [aJob(1), aJob(2)], pages: [{ jobId: 1, page: 0, data: bytes(9) }] }));
      await world.store.commit(aBatch({ jobs: [ended] }));
      await reopen(world);
      expect((await world.store.load()).jobs.map(({ job }) => job.id)).toEqual([2]);
      expect(await world.store.loadJob(1)).toEqual({
        job: ended,
        pages: [{ jobId: 1, page: 0, data: bytes(9) }],
        dependents: [],
      });
      await world.store.commit(aBatch({ jobs: [aJob(1)] }));
      expect((await world.store.load()).jobs.map(({ job }) => job.id)).toEqual([1, 2]);
    });

    test('findJobs filters by life, name, array id and number, newest first', async () => {
      const names = ['a', 'b', 'a', 'b', 'a', 'b'];
      await world.store.commit(
        aBatch({ newJobs: names.map((text, at) => aJob(at + 1, { name: text, endedAt: at < 3 ? 5 : 0 })) }),
      );
      const found = async (query: Partial<StoredJobsQuery>) =>
        (await world.store.findJobs({ live: true, limit: 100, ...query })).map(({ id }) => id);
      expect(await found({})).toEqual([6, 5, 4]);
      expect(await found({ live: false })).toEqual([3, 2, 1]);
      expect(await found({ name: 'a' })).toEqual([5]);
      expect(await found({ name: 'a', live: false })).toEqual([3, 1]);
      expect(await found({ name: 'none' })).toEqual([]);
      expect(await found({ before: 6, limit: 1 })).toEqual([5]);
      expect(await found({ live: false, before: 3 })).toEqual([2, 1]);
      expect(await found({ live: false, arrayId: aJob(2).arrayId })).toEqual([2]);
      expect(await found({ live: true, arrayId: aJob(2).arrayId })).toEqual([]);
      expect(await found({ live: false, ids: [2, 9, 1, 4] })).toEqual([2, 1]);
      expect(await found({ live: true, ids: [2, 9, 1, 4] })).toEqual([4]);
      expect(await found({ live: false, ids: [2, 1], before: 2 })).toEqual([1]);
      expect(await found({ live: false, ids: [] })).toEqual([]);
      expect(await found({ live: false, name: 'a', arrayId: aJob(2).arrayId })).toEqual([]);
      expect(await world.store.findJobs({ live: true, limit: 1 })).toEqual([aJob(6, { name: 'b' })]);
    });

    test('findJobs finds the name that Slurm shows: as changed, as submitted, else the own one', async () => {
      const { spec } = aJob(1);
      const named = { ...spec, slurm: { name: 'a (1)' } };
      await world.store.commit(
        aBatch({
          newJobs: [
            aJob(1, { name: 'a-1', spec: named, endedAt: 5 }),
            aJob(2, { name: 'b', endedAt: 5, extra: JSON.stringify({ slurm: { name: 'a (1)' } }) }),
            aJob(3, { name: 'a-1', spec: named, endedAt: 5, extra: JSON.stringify({ slurm: { name: 'c' } }) }),
            aJob(4, { name: 'a-1', endedAt: 5, extra: JSON.stringify({ slurm: { comment: 'x' } }) }),
            aJob(5, { name: 'a-1', spec: named }),
          ],
        }),
      );
      const found = async (slurmName: string, live = false) =>
        (await world.store.findJobs({ live, slurmName, limit: 100 })).map(({ id }) => id);
      expect(await found('a (1)')).toEqual([2, 1]);
      expect(await found('a-1')).toEqual([4]);
      expect(await found('b')).toEqual([]);
      expect(await found('c')).toEqual([3]);
      expect(await found('a (1)', true)).toEqual([5]);
    });

    test('findJobs finds jobs by the name of their workflow', async () => {
      const of = (name?: string) => ({
        spec: { ...aJob(1).spec, workflow: { first: 1, count: 3, key: 'a', ...(name === undefined ? {} : { name }) } },
      });
      const newJobs = [aJob(1, { ...of('w'), endedAt: 1 }), aJob(2, of('w')), aJob(3, { ...of(), endedAt: 1 })];
      await world.store.commit(aBatch({ newJobs: [...newJobs, aJob(4, { name: 'w', endedAt: 1 })] }));
      const found = async (workflowName: string, live = false) =>
        (await world.store.findJobs({ live, workflowName, limit: 100 })).map(({ id }) => id);
      expect(await found('w')).toEqual([1]);
      expect(await found('w', true)).toEqual([2]);
      expect(await found('v')).toEqual([]);
    });

    test('findJobs finds what ended since a time, the last to end first', async () => {
      await world.store.commit(
        aBatch({
          newJobs: [
            aJob(1, { endedAt: 30 }),
            aJob(2, { endedAt: 10 }),
            aJob(3),
            aJob(4, { endedAt: 20 }),
            aJob(5, { endedAt: 30 }),
          ],
        }),
      );
      const found = async (endedFrom: number, limit = 10) =>
        (await world.store.findJobs({ live: false, endedFrom, limit })).map(({ id }) => id);
      expect(await found(0)).toEqual([5, 1, 4, 2]);
      expect(await found(11)).toEqual([5, 1, 4]);
      expect(await found(11, 2)).toEqual([5, 1]);
      expect(await found(31)).toEqual([]);
    });

    test('findJobs walks upwards from a number, through arrays or through jobs that are none', async () => {
      const ended = (id: number, indices: string) => aJob(id, { indices, endedAt: 100 - id });
      const newJobs = [ended(1, ''), ended(2, '0-2'), ended(3, ''), ended(4, '5'), aJob(5, { indices: '' })];
      await world.store.commit(aBatch({ newJobs }));
      const find = async (query: Partial<StoredJobsQuery>) =>
        (await world.store.findJobs({ live: false, limit: 100, ...query })).map(({ id }) => id);
      expect(await find({ above: 0 })).toEqual([1, 2, 3, 4]);
      expect(await find({ above: 1, limit: 2 })).toEqual([2, 3]);
      expect(await find({ above: 0, array: false })).toEqual([1, 3]);
      expect(await find({ above: 2, array: true })).toEqual([4]);
      expect(await find({ above: 0, endedFrom: 97 })).toEqual([1, 2, 3]);
      expect(await find({ above: 1, ids: [1, 4, 9] })).toEqual([4]);
      expect(await find({ above: 0, live: true })).toEqual([5]);
      expect(await find({ array: true })).toEqual([4, 2]);
    });

    test('findJobs finds the job that may have a raw id: the last that begins at it or before', async () => {
      await world.store.commit(
        aBatch({
          newJobs: [
            aJob(1, { rawIdBase: 1_000_000_000, endedAt: 5 }),
            aJob(2, { rawIdBase: 1_000_000_010 }),
            aJob(4, { rawIdBase: 1_000_000_030, endedAt: 5 }),
          ],
        }),
      );
      const found = async (rawId: number, live = false) =>
        (await world.store.findJobs({ live, rawId, limit: 1 })).map(({ id }) => id);
      expect(await found(999_999_999)).toEqual([]);
      expect(await found(1_000_000_000)).toEqual([1]);
      expect(await found(1_000_000_009)).toEqual([1]);
      expect(await found(1_000_000_010)).toEqual([]);
      expect(await found(1_000_000_010, true)).toEqual([2]);
      expect(await found(2_000_000_000)).toEqual([4]);
    });
  });
}
