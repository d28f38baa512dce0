import { beforeEach, describe, expect, test } from 'vitest';
import { aBatch, aJob, anInstance, aSession, bytes, someEnds } from '../support/store-rows.ts';
import { reopen, type StoreWorld } from './store-world.ts';

const key = { owner: '1000', key: 'k', bodyHash: 'a', jobId: 1, at: 5 };
const event = (jobId: number) => ({ at: 1, jobId, kind: 'k', detail: '{}' });
const among = { fromPosition: 0, toPosition: 9, after: 0, limit: 10 };

export function describeDeletes(world: StoreWorld): void {
  describe('deleting jobs', () => {
    beforeEach(() =>
      world.store.commit(
        aBatch({
          newJobs: [aJob(1, { endedAt: 9 }), aJob(2, { endedAt: 9 }), aJob(3)],
          sessions: [
            aSession(1),
            aSession(2, { closedAt: 8, detail: '{"bound":{"jobId":1}}' }),
            aSession(3, { closedAt: 8, detail: '{"bound":{"jobId":2}}' }),
          ],
          pages: [1, 2].map((jobId) => ({ jobId, page: 0, data: bytes(1) })),
          ends: [someEnds(0, 1), someEnds(2, 3), someEnds(4, 5), someEnds(0, 1, 2)],
          dependencies: [
            { jobId: 2, dependsOn: 1 },
            { jobId: 1, dependsOn: 2 },
          ],
          keys: [key, { ...key, key: 'other', jobId: 2 }],
          events: [event(1), event(2), event(0), event(1)],
          instances: [anInstance(1, { endedAt: 8 }), anInstance(2, { jobId: 2, endedAt: 8 })],
        }),
      ),
    );

    test('all that belongs to a job goes with it, and nothing else', async () => {
      await world.store.commit(aBatch({ deletedJobs: [1], events: [event(0)] }));
      await reopen(world);
      expect(await world.store.loadJob(1)).toBeUndefined();
      expect((await world.store.findJobs({ live: false, limit: 9 })).map(({ id }) => id)).toEqual([2]);
      expect(await world.store.findEnds({ jobId: 1, ...among })).toEqual([]);
      expect(await world.store.findEnds({ jobId: 2, ...among })).toHaveLength(1);
      expect(await world.store.findKey('1000', 'k')).toBeUndefined();
      expect(await world.store.findKey('1000', 'other')).toMatchObject({ jobId: 2 });
      expect((await world.store.findEvents({ after: 0, limit: 9 })).map(({ jobId }) => jobId)).toEqual([2, 0, 0]);
      expect(await world.store.loadJob(2)).toMatchObject({ pages: [{ jobId: 2 }], dependents: [] });
      expect(await world.store.findInstances({ endedFrom: 0, limit: 9 })).toMatchObject([{ jobId: 2 }]);
      expect((await world.store.findSessions([1, 2, 3])).map(({ id }) => id)).toEqual([1, 3]);
    });

    test('a key that went with its job can be given to another', async () => {
      await world.store.commit(aBatch({ deletedJobs: [1] }));
      await world.store.commit(aBatch({ newJobs: [aJob(4)], keys: [{ ...key, jobId: 4 }] }));
      expect(await world.store.findKey('1000', 'k')).toMatchObject({ jobId: 4 });
    });

    test('ids of events go on behind what was deleted in the same batch', async () => {
      const before = await world.store.findEvents({ after: 0, limit: 9 });
      await world.store.commit(aBatch({ deletedJobs: [1], events: [event(0)] }));
      const [newest] = (await world.store.findEvents({ after: before.at(-1)!.id, limit: 9 })).slice(-1);
      expect(newest?.id).toBeGreaterThan(before.at(-1)!.id);
    });

    test('ends go some at a time, oldest first', async () => {
      await world.store.commit(aBatch({ deletedEnds: [{ jobId: 1, count: 2 }] }));
      expect((await world.store.findEnds({ jobId: 1, ...among })).map(({ minPosition }) => minPosition)).toEqual([4]);
      await world.store.commit(aBatch({ deletedEnds: [{ jobId: 1, count: 2 }] }));
      expect(await world.store.findEnds({ jobId: 1, ...among })).toEqual([]);
      expect(await world.store.findEnds({ jobId: 2, ...among })).toHaveLength(1);
    });

    test('a live job is refused, and so is all that was asked for with it', async () => {
      await expect(world.store.commit(aBatch({ deletedJobs: [1, 3] }))).rejects.toMatchObject({ code: 'STORE_FAILED' });
      expect(await world.store.loadJob(1)).toBeDefined();
    });

    test('a job whose instance is not terminated is refused, since nobody would end that then', async () => {
      await world.store.commit(aBatch({ instances: [anInstance(3)] }));
      await expect(world.store.commit(aBatch({ deletedJobs: [1] }))).rejects.toMatchObject({ code: 'STORE_FAILED' });
      expect(await world.store.loadJob(1)).toBeDefined();
      await world.store.commit(aBatch({ instances: [anInstance(3, { endedAt: 9 })], deletedJobs: [1] }));
      expect(await world.store.loadJob(1)).toBeUndefined();
    });

    test('one that is not there is nothing', async () => {
      await world.store.commit(aBatch({ deletedJobs: [77] }));
      expect(await world.store.findJobs({ live: false, limit: 9 })).toHaveLength(2);
    });
  });

  test('bad ends are found among good ones, from either side', async () => {
    const good = (at: number) => ({ ...someEnds(at, at), bad: 0 });
    await world.store.commit(
      aBatch({ newJobs: [aJob(1)], ends: [good(0), someEnds(1, 1), good(2), someEnds(3, 3), good(4)] }),
    );
    const find = async (more: object) =>
      (await world.store.findEnds({ jobId: 1, ...among, ...more })).map(({ minPosition }) => minPosition);
    expect(await find({ bad: true })).toEqual([1, 3]);
    expect(await find({ bad: true, newest: true, limit: 1 })).toEqual([3]);
    expect(await find({ newest: true })).toEqual([4, 3, 2, 1, 0]);
  });
}
