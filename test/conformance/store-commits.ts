import { describe, expect, test } from 'vitest';
import { aBatch, aGrant, aJob, aSession, bytes, someEnds } from '../support/store-rows.ts';
import { counters, reopen, type StoreWorld } from './store-world.ts';

export function describeCommits(world: StoreWorld): void {
  describe('commits', () => {
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
      await world.store.commit(aBatch({ newJobs: [aJob(1)], sessions: [aSession(1)], counters: counters(2) }));
      const before = await world.store.load();
      const batch = aBatch({
        ...wrong,
        counters: counters(50),
        newJobs: [aJob(2), ...wrong.newJobs],
        sessions: [aSession(2)],
        events: [{ at: 1, jobId: 1, kind: 'k', detail: '{}' }],
      });
      await expect(world.store.commit(batch)).rejects.toMatchObject({ code: 'STORE_FAILED' });
      expect(await world.store.load()).toEqual(before);
      expect(await world.store.findEvents({ after: 0, limit: 5 })).toEqual([]);
      await world.store.commit(aBatch({ newJobs: [aJob(2)] }));
      await reopen(world);
      expect((await world.store.load()).jobs.map(({ job }) => job.id)).toEqual([1, 2]);
    });

    test('what a commit was given may be reused at once', async () => {
      const data = new Uint8Array(1000).fill(1);
      const view = data.subarray(10, 12);
      const commit = world.store.commit(aBatch({ newJobs: [aJob(1)], pages: [{ jobId: 1, page: 0, data: view }] }));
      data.fill(2);
      await commit;
      expect((await world.store.loadJob(1))?.pages[0]?.data).toEqual(bytes(1, 1));
    });

    test('what was read may be changed without changing the store', async () => {
      await world.store.commit(aBatch({ newJobs: [aJob(1)], pages: [{ jobId: 1, page: 0, data: bytes(1) }] }));
      const loaded = await world.store.load();
      loaded.jobs[0]!.job.held = true;
      loaded.jobs[0]!.pages[0]!.data.fill(9);
      loaded.counters.nextJob = 1000;
      expect((await world.store.load()).jobs[0]).toEqual({
        job: aJob(1),
        pages: [{ jobId: 1, page: 0, data: bytes(1) }],
        dependents: [],
      });
      expect((await world.store.load()).counters.nextJob).toBe(1);
    });

    test('commits and reads take effect in the order of the calls', async () => {
      const first = world.store.commit(aBatch({ newJobs: [aJob(1, { priority: 1 })] }));
      const read = world.store.loadJob(1);
      const second = world.store.commit(aBatch({ jobs: [aJob(1, { priority: 2 })] }));
      const again = world.store.loadJob(1);
      await Promise.all([first, second]);
      expect((await read)?.job.priority).toBe(1);
      expect((await again)?.job.priority).toBe(2);
    });

    test('a batch of ten thousand rows', async () => {
      const fences = Array.from({ length: 10_000 }, (_, at) => at + 1);
      const grants = fences.map((fence) => aGrant(fence, { position: fence, data: bytes(fence % 256, fence >> 8) }));
      await world.store.commit(aBatch({ newJobs: [aJob(1)], sessions: [aSession(1)], grants }));
      await reopen(world);
      expect((await world.store.load()).grants).toEqual(grants);
      await world.store.commit(aBatch({ closedGrants: fences.slice(1) }));
      expect((await world.store.load()).grants).toEqual([grants[0]]);
    });
  });
}
