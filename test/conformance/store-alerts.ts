import { beforeEach, describe, expect, test } from 'vitest';
import { aBatch, aDelivery, aJob, anAlert } from '../support/store-rows.ts';
import { reopen, type StoreWorld } from './store-world.ts';

export function describeAlerts(world: StoreWorld): void {
  describe('alerts and deliveries', () => {
    const find = async (query: object) =>
      (await world.store.findDeliveries({ limit: 9, ...query })).map(({ id }) => id);

    beforeEach(() => world.store.commit(aBatch({ newJobs: [aJob(1), aJob(2, { endedAt: 9 })] })));

    test('alerts that hold are loaded, and the newest whether it holds or not', async () => {
      const gone = anAlert(2, { deletedAt: 5 });
      await world.store.commit(aBatch({ alerts: [anAlert(1), anAlert(2), anAlert(3)] }));
      await world.store.commit(aBatch({ alerts: [gone, { ...anAlert(1), detail: '{"told":1}' }] }));
      await reopen(world);
      expect((await world.store.load()).alerts).toEqual([{ ...anAlert(1), detail: '{"told":1}' }, anAlert(3)]);
      const last = anAlert(4, { deletedAt: 6 });
      await world.store.commit(aBatch({ alerts: [last] }));
      expect((await world.store.load()).alerts.at(-1)).toEqual(last);
    });

    test('deliveries that wait are loaded in the order in which they came, and the ids of others of live jobs', async () => {
      const rows = [aDelivery('z'), aDelivery('a', { jobId: 2 }), aDelivery('m', { jobId: 0 })];
      const over = [aDelivery('of-live', { nextAt: 0 }), aDelivery('of-ended', { nextAt: 0, jobId: 2 })];
      await world.store.commit(aBatch({ deliveries: [...rows, ...over] }));
      await reopen(world);
      const { deliveries, delivered } = await world.store.load();
      expect({ deliveries, delivered }).toEqual({ deliveries: rows, delivered: [{ id: 'of-live', jobId: 1 }] });
    });

    test('one written again keeps its place', async () => {
      await world.store.commit(aBatch({ deliveries: [aDelivery('a'), aDelivery('b')] }));
      const tried = aDelivery('a', { nextAt: 99, detail: '{"attempts":1,"why":"größer"}' });
      await world.store.commit(aBatch({ deliveries: [tried] }));
      await reopen(world);
      expect((await world.store.load()).deliveries).toEqual([tried, aDelivery('b')]);
      await world.store.commit(aBatch({ deliveries: [{ ...tried, nextAt: 0 }] }));
      expect((await world.store.load()).deliveries).toEqual([aDelivery('b')]);
    });

    test('they are found by alert, job and owner, newest first, page by page', async () => {
      const rows = [
        aDelivery('a', { alertId: 1 }),
        aDelivery('b', { alertId: 2, owner: 'ada' }),
        aDelivery('c', { alertId: 1, jobId: 2, nextAt: 0 }),
        aDelivery('d', { alertId: 0, owner: 'ada', tenant: 'other' }),
      ];
      for (const row of rows) await world.store.commit(aBatch({ deliveries: [row] }));
      await reopen(world);
      expect(await find({})).toEqual(['d', 'c', 'b', 'a']);
      expect(await find({ alertId: 1 })).toEqual(['c', 'a']);
      expect(await find({ jobId: 1 })).toEqual(['d', 'b', 'a']);
      expect(await find({ whose: { owner: 'ada', tenant: 'default' } })).toEqual(['b']);
      expect(await find({ alertId: 1, jobId: 2 })).toEqual(['c']);
      const [first, second] = await world.store.findDeliveries({ limit: 2 });
      expect(first).toEqual({ ...rows[3], seq: expect.any(Number) });
      expect(await find({ before: second!.seq })).toEqual(['b', 'a']);
    });

    test('old ones that are over are forgotten, so many at a time; alerts that are long gone too, but for the newest', async () => {
      const old = ['a', 'b', 'c'].map((id) => aDelivery(id, { createdAt: 10, nextAt: 0 }));
      const kept = [aDelivery('waits', { createdAt: 10 }), aDelivery('young', { createdAt: 20, nextAt: 0 })];
      const alerts = [anAlert(1, { deletedAt: 10 }), anAlert(2, { deletedAt: 20 }), anAlert(3, { deletedAt: 10 })];
      await world.store.commit(aBatch({ deliveries: [...old, ...kept], alerts }));
      await world.store.commit(aBatch({ forgottenDeliveries: { before: 20, count: 2 } }));
      expect(await find({})).toEqual(['young', 'waits', 'c']);
      await world.store.commit(aBatch({ forgottenDeliveries: { before: 20, count: 2 } }));
      expect(await find({})).toEqual(['young', 'waits']);
      expect((await world.store.load()).alerts).toEqual([alerts[2]]);
    });

    test('a deleted job takes along what was delivered, and leaves what is not', async () => {
      const rows = [aDelivery('over', { jobId: 2, nextAt: 0 }), aDelivery('waits', { jobId: 2 }), aDelivery('other')];
      await world.store.commit(aBatch({ deliveries: rows }));
      await world.store.commit(aBatch({ deletedJobs: [2] }));
      expect(await find({})).toEqual(['other', 'waits']);
    });
  });
}
