import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Store, StoredJobsQuery } from '../../src/store/store.ts';
import { aBatch, aGrant, aJob, aSession, bytes, someEnds } from '../support/store-rows.ts';

/** One store's durable memory, which can be opened again and again. */
export interface StoreUnderTest {
  open(): Promise<Store>;
  dispose(): Promise<void>;
}

/** What every store must do. */
export function describeStore(name: string, make: () => Promise<StoreUnderTest>): void {
  let memory: StoreUnderTest;
  let store: Store;

  beforeEach(async () => {
    memory = await make();
    store = await memory.open();
  });
  afterEach(async () => {
    await store.close();
    await memory.dispose();
  });

  /** What is read after this was on the disk. */
  async function reopen(): Promise<void> {
    await store.close();
    store = await memory.open();
  }

  describe(`${name}: opening`, () => {
    test('a new store is empty, and its counters begin at their first numbers', async () => {
      expect(await store.load()).toEqual({
        counters: { nextJob: 1, nextRaw: 1_000_000_000, nextFence: 1, nextSession: 1 },
        jobs: [],
        grants: [],
        sessions: [],
      });
      expect(await store.loadJob(1)).toBeUndefined();
      expect(await store.findKey('1000', 'k')).toBeUndefined();
      expect(await store.findSessions([1])).toEqual([]);
    });

    test('the store keeps its id; its epoch grows with each opening', async () => {
      const { storeId, epoch } = store;
      expect(storeId).toMatch(/^[0-9a-f]{12}$/);
      await reopen();
      expect(store.storeId).toBe(storeId);
      expect(store.epoch).toBeGreaterThan(epoch);
    });

    test('close may be called twice; then every call is refused', async () => {
      await store.close();
      await store.close();
      const failed = { code: 'STORE_FAILED' };
      await expect(store.load()).rejects.toMatchObject(failed);
      await expect(store.commit(aBatch())).rejects.toMatchObject(failed);
      await expect(store.findJobs({ live: true, limit: 1 })).rejects.toMatchObject(failed);
    });

    test('close waits for the commits under way', async () => {
      const commits = [1, 2, 3].map((id) => store.commit(aBatch({ newJobs: [aJob(id)] })));
      await store.close();
      await expect(Promise.all(commits)).resolves.toHaveLength(3);
      store = await memory.open();
      expect((await store.load()).jobs.map(({ job }) => job.id)).toEqual([1, 2, 3]);
    });

    test('size tells the bytes held, and more when there is more', async () => {
      const before = await store.size();
      await store.commit(
        aBatch({ newJobs: [aJob(1)], pages: [{ jobId: 1, page: 0, data: new Uint8Array(200_000).fill(1) }] }),
      );
      expect(await store.size()).toBeGreaterThanOrEqual(before + 200_000);
    });
  });

  describe(`${name}: jobs`, () => {
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
      await store.commit(aBatch({ newJobs: [full, aJob(8)], counters: counters(9) }));
      expect(await store.load()).toEqual({
        counters: counters(9),
        jobs: [
          { job: full, pages: [], dependents: [] },
          { job: aJob(8), pages: [], dependents: [] },
        ],
        grants: [],
        sessions: [],
      });
      await reopen();
      expect((await store.loadJob(7))?.job).toEqual(full);
      expect((await store.load()).counters).toEqual(counters(9));
    });

    test('a change replaces what changes and nothing else', async () => {
      await store.commit(aBatch({ newJobs: [aJob(1), aJob(2)] }));
      const { spec: _spec, ...changed } = aJob(1, { held: true, counts: [0, 0, 10], meanWallUs: 5, name: 'ignored' });
      await store.commit(aBatch({ jobs: [changed] }));
      await reopen();
      expect((await store.loadJob(1))?.job).toEqual(aJob(1, { held: true, counts: [0, 0, 10], meanWallUs: 5 }));
      expect((await store.loadJob(2))?.job).toEqual(aJob(2));
    });

    test('a job that ended is not loaded, but found; one that lives again is loaded', async () => {
      const ended = aJob(1, { endedAt: 99 });
      await store.commit(aBatch({ newJobs: [aJob(1), aJob(2)], pages: [{ jobId: 1, page: 0, data: bytes(9) }] }));
      await store.commit(aBatch({ jobs: [ended] }));
      await reopen();
      expect((await store.load()).jobs.map(({ job }) => job.id)).toEqual([2]);
      expect(await store.loadJob(1)).toEqual({
        job: ended,
        pages: [{ jobId: 1, page: 0, data: bytes(9) }],
        dependents: [],
      });
      await store.commit(aBatch({ jobs: [aJob(1)] }));
      expect((await store.load()).jobs.map(({ job }) => job.id)).toEqual([1, 2]);
    });

    test('findJobs filters by life, name, array id and number, newest first', async () => {
      const names = ['a', 'b', 'a', 'b', 'a', 'b'];
      await store.commit(
        aBatch({ newJobs: names.map((text, at) => aJob(at + 1, { name: text, endedAt: at < 3 ? 5 : 0 })) }),
      );
      const found = async (query: Partial<StoredJobsQuery>) =>
        (await store.findJobs({ live: true, limit: 100, ...query })).map(({ id }) => id);
      expect(await found({})).toEqual([6, 5, 4]);
      expect(await found({ live: false })).toEqual([3, 2, 1]);
      expect(await found({ name: 'a' })).toEqual([5]);
      expect(await found({ name: 'a', live: false })).toEqual([3, 1]);
      expect(await found({ name: 'none' })).toEqual([]);
      expect(await found({ before: 6, limit: 1 })).toEqual([5]);
      expect(await found({ live: false, before: 3 })).toEqual([2, 1]);
      expect(await found({ live: false, arrayId: aJob(2).arrayId })).toEqual([2]);
      expect(await found({ live: true, arrayId: aJob(2).arrayId })).toEqual([]);
      expect(await found({ live: false, name: 'a', arrayId: aJob(2).arrayId })).toEqual([]);
      expect(await store.findJobs({ live: true, limit: 1 })).toEqual([aJob(6, { name: 'b' })]);
    });
  });

  describe(`${name}: what belongs to a job`, () => {
    beforeEach(() => store.commit(aBatch({ newJobs: [aJob(1), aJob(2), aJob(3)], sessions: [aSession(1)] })));

    test('pages come back by job and number; a page written again is replaced', async () => {
      await store.commit(
        aBatch({
          pages: [
            { jobId: 2, page: 0, data: bytes(1) },
            { jobId: 1, page: 10, data: bytes(2, 2) },
            { jobId: 1, page: 2, data: new Uint8Array(0) },
          ],
        }),
      );
      await store.commit(aBatch({ pages: [{ jobId: 1, page: 10, data: new Uint8Array(50_000).fill(3) }] }));
      await reopen();
      const pages = (await store.load()).jobs.map((loaded) => loaded.pages);
      expect(pages).toEqual([
        [
          { jobId: 1, page: 2, data: new Uint8Array(0) },
          { jobId: 1, page: 10, data: new Uint8Array(50_000).fill(3) },
        ],
        [{ jobId: 2, page: 0, data: bytes(1) }],
        [],
      ]);
      expect((await store.loadJob(1))?.pages).toEqual(pages[0]);
    });

    test('grants stay until they are closed; one written again is replaced', async () => {
      await store.commit(aBatch({ grants: [aGrant(30), aGrant(10), aGrant(20, { jobId: 2 })] }));
      await store.commit(
        aBatch({ grants: [aGrant(30, { position: 4, count: 6, data: bytes(5) })], closedGrants: [10] }),
      );
      await reopen();
      expect((await store.load()).grants).toEqual([
        aGrant(20, { jobId: 2 }),
        aGrant(30, { position: 4, count: 6, data: bytes(5) }),
      ]);
    });

    test('a grant that opened and closed in one batch is gone; closing one that is not there is nothing', async () => {
      await store.commit(aBatch({ grants: [aGrant(1), aGrant(2)], closedGrants: [1, 77] }));
      expect((await store.load()).grants).toEqual([aGrant(2)]);
    });

    test('ends come in the order of their commits, a page at a time', async () => {
      await store.commit(aBatch({ ends: [someEnds(5, 9), someEnds(0, 3, 2), someEnds(0, 4)] }));
      await store.commit(aBatch({ ends: [someEnds(3, 3)] }));
      await reopen();
      const all = await store.findEnds({ jobId: 1, fromPosition: 0, toPosition: 9, after: 0, limit: 10 });
      expect(all.map(({ id: _id, ...rest }) => rest)).toEqual([someEnds(5, 9), someEnds(0, 4), someEnds(3, 3)]);
      expect(all.map(({ id }) => id)).toEqual([...all.map(({ id }) => id)].toSorted((a, b) => a - b));
      const first = await store.findEnds({ jobId: 1, fromPosition: 0, toPosition: 9, after: 0, limit: 2 });
      expect(first).toEqual(all.slice(0, 2));
      const rest = await store.findEnds({ jobId: 1, fromPosition: 0, toPosition: 9, after: first[1]!.id, limit: 2 });
      expect(rest).toEqual(all.slice(2));
    });

    test('ends are those that touch the positions asked for', async () => {
      await store.commit(aBatch({ ends: [someEnds(0, 4), someEnds(5, 9), someEnds(7, 7)] }));
      const touching = async (fromPosition: number, toPosition: number) =>
        (await store.findEnds({ jobId: 1, fromPosition, toPosition, after: 0, limit: 10 })).map(
          (ends) => `${ends.minPosition}-${ends.maxPosition}`,
        );
      expect(await touching(4, 5)).toEqual(['0-4', '5-9']);
      expect(await touching(7, 7)).toEqual(['5-9', '7-7']);
      expect(await touching(6, 6)).toEqual(['5-9']);
      expect(await touching(10, 20)).toEqual([]);
    });

    test('dependents are found from the job they wait for, also after it ended', async () => {
      await store.commit(
        aBatch({
          dependencies: [
            { jobId: 3, dependsOn: 1 },
            { jobId: 2, dependsOn: 1 },
            { jobId: 3, dependsOn: 2 },
          ],
        }),
      );
      await store.commit(aBatch({ dependencies: [{ jobId: 2, dependsOn: 1 }], jobs: [aJob(2, { endedAt: 4 })] }));
      await reopen();
      expect((await store.load()).jobs.map(({ job, dependents }) => [job.id, dependents])).toEqual([
        [1, [2, 3]],
        [3, []],
      ]);
      expect((await store.loadJob(2))?.dependents).toEqual([3]);
    });
  });

  describe(`${name}: sessions, keys, events`, () => {
    test('open sessions are loaded; closed ones are found', async () => {
      await store.commit(aBatch({ sessions: [aSession(1), aSession(2), aSession(3)] }));
      const closed = aSession(2, { closedAt: 50, detail: '{"end":"lease"}' });
      await store.commit(aBatch({ sessions: [closed] }));
      await reopen();
      expect((await store.load()).sessions).toEqual([aSession(1), aSession(3)]);
      expect(await store.findSessions([2, 3, 99])).toEqual([closed, aSession(3)]);
      expect(await store.findSessions([])).toEqual([]);
    });

    test('a key belongs to its owner', async () => {
      const key = { owner: '1000', key: 'nightly', bodyHash: 'a'.repeat(64), jobId: 1, at: 5 };
      const other = { ...key, owner: '1001', jobId: 2, bodyHash: 'b'.repeat(64) };
      await store.commit(aBatch({ newJobs: [aJob(1), aJob(2)], keys: [key, other] }));
      await reopen();
      expect(await store.findKey('1000', 'nightly')).toEqual(key);
      expect(await store.findKey('1001', 'nightly')).toEqual(other);
      expect(await store.findKey('1002', 'nightly')).toBeUndefined();
      expect(await store.findKey('1000', 'Nightly')).toBeUndefined();
    });

    test('a key that is taken is not given twice', async () => {
      const key = { owner: '1000', key: 'k', bodyHash: 'a', jobId: 1, at: 5 };
      await store.commit(aBatch({ newJobs: [aJob(1)], keys: [key] }));
      const second = aBatch({ newJobs: [aJob(2)], keys: [{ ...key, jobId: 2 }] });
      await expect(store.commit(second)).rejects.toMatchObject({ code: 'STORE_FAILED' });
      expect(await store.findKey('1000', 'k')).toEqual(key);
      expect(await store.loadJob(2)).toBeUndefined();
    });

    test('events come in order, all or those of one job, a page at a time', async () => {
      const kinds = [1, 0, 2, 1, 1].map((jobId, at) => ({ at, jobId, kind: `k${at}`, detail: `{"n":${at}}` }));
      await store.commit(aBatch({ events: kinds.slice(0, 3) }));
      await store.commit(aBatch({ events: kinds.slice(3) }));
      await reopen();
      const all = await store.findEvents({ after: 0, limit: 100 });
      expect(all.map(({ id: _id, ...rest }) => rest)).toEqual(kinds);
      expect(await store.findEvents({ after: all[1]!.id, limit: 2 })).toEqual(all.slice(2, 4));
      const ofOne = await store.findEvents({ jobId: 1, after: 0, limit: 100 });
      expect(ofOne.map(({ kind }) => kind)).toEqual(['k0', 'k3', 'k4']);
      expect(await store.findEvents({ jobId: 1, after: ofOne[0]!.id, limit: 1 })).toEqual([ofOne[1]]);
      expect((await store.findEvents({ jobId: 0, after: 0, limit: 5 })).map(({ kind }) => kind)).toEqual(['k1']);
      expect(await store.findEvents({ after: all[4]!.id, limit: 5 })).toEqual([]);
    });
  });

  describe(`${name}: commits`, () => {
    const refused = [
      ['changes a job that is not there', aBatch({ jobs: [aJob(99)] })],
      ['adds a job that is there', aBatch({ newJobs: [aJob(1)] })],
      ['has a page of no job', aBatch({ pages: [{ jobId: 99, page: 0, data: bytes(1) }] })],
      ['has ends of no job', aBatch({ ends: [someEnds(0, 1, 99)] })],
      ['grants to no session', aBatch({ grants: [aGrant(9, { sessionId: 99 })] })],
      ['grants of no job', aBatch({ grants: [aGrant(9, { jobId: 99 })] })],
      ['depends on no job', aBatch({ dependencies: [{ jobId: 1, dependsOn: 99 }] })],
      ['has a key of no job', aBatch({ keys: [{ owner: 'o', key: 'k', bodyHash: '', jobId: 99, at: 1 }] })],
    ] as const;
    test.each(refused)('a batch that %s is refused whole, and the store goes on', async (_why, wrong) => {
      await store.commit(aBatch({ newJobs: [aJob(1)], sessions: [aSession(1)], counters: counters(2) }));
      const before = await store.load();
      const batch = aBatch({
        ...wrong,
        counters: counters(50),
        newJobs: [aJob(2), ...wrong.newJobs],
        sessions: [aSession(2)],
        events: [{ at: 1, jobId: 1, kind: 'k', detail: '{}' }],
      });
      await expect(store.commit(batch)).rejects.toMatchObject({ code: 'STORE_FAILED' });
      expect(await store.load()).toEqual(before);
      expect(await store.findEvents({ after: 0, limit: 5 })).toEqual([]);
      await store.commit(aBatch({ newJobs: [aJob(2)] }));
      await reopen();
      expect((await store.load()).jobs.map(({ job }) => job.id)).toEqual([1, 2]);
    });

    test('what a commit was given may be reused at once', async () => {
      const data = new Uint8Array(1000).fill(1);
      const view = data.subarray(10, 12);
      const commit = store.commit(aBatch({ newJobs: [aJob(1)], pages: [{ jobId: 1, page: 0, data: view }] }));
      data.fill(2);
      await commit;
      expect((await store.loadJob(1))?.pages[0]?.data).toEqual(bytes(1, 1));
    });

    test('what was read may be changed without changing the store', async () => {
      await store.commit(aBatch({ newJobs: [aJob(1)], pages: [{ jobId: 1, page: 0, data: bytes(1) }] }));
      const loaded = await store.load();
      loaded.jobs[0]!.job.held = true;
      loaded.jobs[0]!.pages[0]!.data.fill(9);
      loaded.counters.nextJob = 1000;
      expect((await store.load()).jobs[0]).toEqual({
        job: aJob(1),
        pages: [{ jobId: 1, page: 0, data: bytes(1) }],
        dependents: [],
      });
      expect((await store.load()).counters.nextJob).toBe(1);
    });

    test('commits and reads take effect in the order of the calls', async () => {
      const first = store.commit(aBatch({ newJobs: [aJob(1, { priority: 1 })] }));
      const read = store.loadJob(1);
      const second = store.commit(aBatch({ jobs: [aJob(1, { priority: 2 })] }));
      const again = store.loadJob(1);
      await Promise.all([first, second]);
      expect((await read)?.job.priority).toBe(1);
      expect((await again)?.job.priority).toBe(2);
    });

    test('a batch of ten thousand rows', async () => {
      const fences = Array.from({ length: 10_000 }, (_, at) => at + 1);
      const grants = fences.map((fence) => aGrant(fence, { position: fence, data: bytes(fence % 256, fence >> 8) }));
      await store.commit(aBatch({ newJobs: [aJob(1)], sessions: [aSession(1)], grants }));
      await reopen();
      expect((await store.load()).grants).toEqual(grants);
      await store.commit(aBatch({ closedGrants: fences.slice(1) }));
      expect((await store.load()).grants).toEqual([grants[0]]);
    });
  });
}

function counters(nextJob: number) {
  return { nextJob, nextRaw: 1_000_000_000 + nextJob * 10, nextFence: 2 ** 40 + nextJob, nextSession: nextJob };
}
