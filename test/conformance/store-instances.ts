import { beforeEach, describe, expect, test } from 'vitest';
import type { StoredBudget } from '../../src/store/store.ts';
import { aBatch, aJob, anInstance } from '../support/store-rows.ts';
import { reopen, type StoreWorld } from './store-world.ts';

const budget: StoredBudget = {
  owner: '1000',
  tenant: 'local',
  amount: 12.5,
  period: 'month',
  setAt: 7,
  detail: '{"warned":80}',
};

export function describeInstances(world: StoreWorld): void {
  describe('instances and budgets', () => {
    const find = async (query: object) =>
      (await world.store.findInstances({ endedFrom: 0, limit: 9, ...query })).map(({ position }) => position);

    beforeEach(() => world.store.commit(aBatch({ newJobs: [aJob(1), aJob(2, { endedAt: 9 })] })));

    test('those that run and those of live jobs are loaded, in the order of job, position and generation', async () => {
      const rows = [
        anInstance(5, { position: 0, generation: 2 }),
        anInstance(4, { jobId: 2, position: 3 }),
        anInstance(3, { jobId: 2, position: 1, endedAt: 40 }),
        anInstance(2, { position: 1, detail: '{"name":"größer"}' }),
        anInstance(9, { position: 0, generation: 1, endedAt: 30 }),
      ];
      await world.store.commit(aBatch({ instances: rows }));
      await reopen(world);
      expect((await world.store.load()).instances).toEqual([rows[4], rows[0], rows[3], rows[1]]);
    });

    test('one written again is replaced; one that was dropped is gone, also in the batch that brought it', async () => {
      await world.store.commit(aBatch({ instances: [anInstance(1), anInstance(2)] }));
      const changed = anInstance(1, { position: 7, generation: 3, endedAt: 60, detail: '{}' });
      await world.store.commit(
        aBatch({
          instances: [changed, anInstance(3)],
          droppedInstances: [anInstance(2).id, anInstance(3).id, 'i-never'],
        }),
      );
      await reopen(world);
      expect((await world.store.load()).instances).toEqual([changed]);
    });

    test('terminated ones are found by when they ended, job and id, newest first', async () => {
      const ended = [10, 30, 20, 20].map((endedAt, position) => anInstance(position, { position, endedAt }));
      const other = anInstance(8, { jobId: 2, endedAt: 25 });
      await world.store.commit(aBatch({ instances: [...ended, other, anInstance(9)] }));
      await reopen(world);
      expect(await find({})).toEqual([1, 8, 3, 2, 0]);
      expect(await find({ limit: 2 })).toEqual([1, 8]);
      expect(await find({ endedFrom: 20, endedBefore: 30 })).toEqual([8, 3, 2]);
      expect(await find({ jobId: 1 })).toEqual([1, 3, 2, 0]);
      expect(await find({ jobId: 1, endedFrom: 11, endedBefore: 21, limit: 1 })).toEqual([3]);
      expect(await find({ id: other.id })).toEqual([8]);
      expect(await find({ id: other.id, jobId: 1 })).toEqual([]);
      expect(await find({ id: other.id, endedFrom: 26 })).toEqual([]);
      expect(await find({ id: anInstance(9).id })).toEqual([]);
    });

    test('an instance of a job that is not there is refused with all that came with it', async () => {
      const batch = aBatch({ instances: [anInstance(1), anInstance(2, { jobId: 77 })] });
      await expect(world.store.commit(batch)).rejects.toMatchObject({ code: 'STORE_FAILED' });
      expect((await world.store.load()).instances).toEqual([]);
    });

    test('an array that was resized keeps all else; one that is not there is refused', async () => {
      await world.store.commit(aBatch({ resized: [{ id: 1, indices: '0-11', size: 12 }] }));
      await reopen(world);
      expect((await world.store.loadJob(1))?.job).toEqual(aJob(1, { indices: '0-11', size: 12 }));
      await world.store.commit(aBatch({ resized: [{ id: 1, indices: '0-8', size: 9, rawIdBase: 1_000_777 }] }));
      expect((await world.store.loadJob(1))?.job).toMatchObject({ size: 9, rawIdBase: 1_000_777 });
      const batch = aBatch({ resized: [{ id: 77, indices: '0-11', size: 12 }] });
      await expect(world.store.commit(batch)).rejects.toMatchObject({ code: 'STORE_FAILED' });
    });

    test('a job that comes and is resized in one batch has the new size', async () => {
      await world.store.commit(aBatch({ newJobs: [aJob(3)], resized: [{ id: 3, indices: '0-3', size: 4 }] }));
      expect((await world.store.loadJob(3))?.job).toMatchObject({ indices: '0-3', size: 4 });
    });

    test('an owner has one budget in each tenant; written again it is replaced', async () => {
      const elsewhere = { ...budget, tenant: 'a', amount: 3 };
      const none = { ...budget, amount: -1, period: 'total', setAt: 8, detail: '{}' };
      await world.store.commit(aBatch({ budgets: [budget, elsewhere] }));
      await world.store.commit(aBatch({ budgets: [none, { ...budget, owner: '0' }] }));
      await reopen(world);
      expect((await world.store.load()).budgets).toEqual([elsewhere, { ...budget, owner: '0' }, none]);
    });
  });
}
