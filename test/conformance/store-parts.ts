import { beforeEach, describe, expect, test } from 'vitest';
import { aBatch, aGrant, aJob, aSession, aToken, bytes, someEnds } from '../support/store-rows.ts';
import { reopen, type StoreWorld } from './store-world.ts';

export function describeJobParts(world: StoreWorld): void {
  describe('what belongs to a job', () => {
    beforeEach(() => world.store.commit(aBatch({ newJobs: [aJob(1), aJob(2), aJob(3)], sessions: [aSession(1)] })));

    test('pages come back by job and number; a page written again is replaced', async () => {
      await world.store.commit(
        aBatch({
          pages: [
            { jobId: 2, page: 0, data: bytes(1) },
            { jobId: 1, page: 10, data: bytes(2, 2) },
            { jobId: 1, page: 2, data: new Uint8Array(0) },
          ],
        }),
      );
      await world.store.commit(aBatch({ pages: [{ jobId: 1, page: 10, data: new Uint8Array(50_000).fill(3) }] }));
      await reopen(world);
      const pages = (await world.store.load()).jobs.map((loaded) => loaded.pages);
      expect(pages).toEqual([
        [
          { jobId: 1, page: 2, data: new Uint8Array(0) },
          { jobId: 1, page: 10, data: new Uint8Array(50_000).fill(3) },
        ],
        [{ jobId: 2, page: 0, data: bytes(1) }],
        [],
      ]);
      expect((await world.store.loadJob(1))?.pages).toEqual(pages[0]);
    });

    test('grants stay until they are closed; one written again is replaced', async () => {
      await world.store.commit(aBatch({ grants: [aGrant(30), aGrant(10), aGrant(20, { jobId: 2 })] }));
      await world.store.commit(
        aBatch({ grants: [aGrant(30, { position: 4, count: 6, data: bytes(5) })], closedGrants: [10] }),
      );
      await reopen(world);
      expect((await world.store.load()).grants).toEqual([
        aGrant(20, { jobId: 2 }),
        aGrant(30, { position: 4, count: 6, data: bytes(5) }),
      ]);
    });

    test('a grant that opened and closed in one batch is gone; closing one that is not there is nothing', async () => {
      await world.store.commit(aBatch({ grants: [aGrant(1), aGrant(2)], closedGrants: [1, 77] }));
      expect((await world.store.load()).grants).toEqual([aGrant(2)]);
    });

    test('ends come in the order of their commits, a page at a time', async () => {
      await world.store.commit(aBatch({ ends: [someEnds(5, 9), someEnds(0, 3, 2), someEnds(0, 4)] }));
      await world.store.commit(aBatch({ ends: [someEnds(3, 3)] }));
      await reopen(world);
      const all = await world.store.findEnds({ jobId: 1, fromPosition: 0, toPosition: 9, after: 0, limit: 10 });
      expect(all.map(({ id: _id, ...rest }) => rest)).toEqual([someEnds(5, 9), someEnds(0, 4), someEnds(3, 3)]);
      expect(all.map(({ id }) => id)).toEqual([...all.map(({ id }) => id)].toSorted((a, b) => a - b));
      const first = await world.store.findEnds({ jobId: 1, fromPosition: 0, toPosition: 9, after: 0, limit: 2 });
      expect(first).toEqual(all.slice(0, 2));
      const rest = await world.store.findEnds({
        jobId: 1,
        fromPosition: 0,
        toPosition: 9,
        after: first[1]!.id,
        limit: 2,
      });
      expect(rest).toEqual(all.slice(2));
    });

    test('ends are those that touch the positions asked for', async () => {
      await world.store.commit(aBatch({ ends: [someEnds(0, 4), someEnds(5, 9), someEnds(7, 7)] }));
      const touching = async (fromPosition: number, toPosition: number) =>
        (await world.store.findEnds({ jobId: 1, fromPosition, toPosition, after: 0, limit: 10 })).map(
          (ends) => `${ends.minPosition}-${ends.maxPosition}`,
        );
      expect(await touching(4, 5)).toEqual(['0-4', '5-9']);
      expect(await touching(7, 7)).toEqual(['5-9', '7-7']);
      expect(await touching(6, 6)).toEqual(['5-9']);
      expect(await touching(10, 20)).toEqual([]);
    });

    test('dependents are found from the job they wait for, also after it ended', async () => {
      await world.store.commit(
        aBatch({
          dependencies: [
            { jobId: 3, dependsOn: 1 },
            { jobId: 2, dependsOn: 1 },
            { jobId: 3, dependsOn: 2 },
          ],
        }),
      );
      await world.store.commit(aBatch({ dependencies: [{ jobId: 2, dependsOn: 1 }], jobs: [aJob(2, { endedAt: 4 })] }));
      await reopen(world);
      expect((await world.store.load()).jobs.map(({ job, dependents }) => [job.id, dependents])).toEqual([
        [1, [2, 3]],
        [3, []],
      ]);
      expect((await world.store.loadJob(2))?.dependents).toEqual([3]);
    });
  });
}

export function describeOthers(world: StoreWorld): void {
  describe('sessions, keys, events', () => {
    test('open sessions are loaded; closed ones are found', async () => {
      await world.store.commit(aBatch({ sessions: [aSession(1), aSession(2), aSession(3)] }));
      const closed = aSession(2, { closedAt: 50, detail: '{"end":"lease"}' });
      await world.store.commit(aBatch({ sessions: [closed] }));
      await reopen(world);
      expect((await world.store.load()).sessions).toEqual([aSession(1), aSession(3)]);
      expect(await world.store.findSessions([2, 3, 99])).toEqual([closed, aSession(3)]);
      expect(await world.store.findSessions([])).toEqual([]);
    });

    test('tokens come back whole and in order; one written again is replaced, one that was dropped is gone', async () => {
      const ended = aToken(3, { expiresAt: 5, revokedAt: 6, lastUsedAt: 7, role: 'admin', name: 'a.b@c-d_e' });
      await world.store.commit(aBatch({ tokens: [aToken(3), aToken(1), aToken(2)] }));
      await world.store.commit(aBatch({ tokens: [ended, aToken(4)], droppedTokens: [2, 99] }));
      await reopen(world);
      expect((await world.store.load()).tokens).toEqual([aToken(1), ended, aToken(4)]);
      await world.store.commit(aBatch({ tokens: [aToken(5)], droppedTokens: [5] }));
      expect((await world.store.load()).tokens).toHaveLength(3);
    });

    test('a key belongs to its owner', async () => {
      const key = { owner: '1000', key: 'nightly', bodyHash: 'a'.repeat(64), jobId: 1, at: 5 };
      const other = { ...key, owner: '1001', jobId: 2, bodyHash: 'b'.repeat(64) };
      await world.store.commit(aBatch({ newJobs: [aJob(1), aJob(2)], keys: [key, other] }));
      await reopen(world);
      expect(await world.store.findKey('1000', 'nightly')).toEqual(key);
      expect(await world.store.findKey('1001', 'nightly')).toEqual(other);
      expect(await world.store.findKey('1002', 'nightly')).toBeUndefined();
      expect(await world.store.findKey('1000', 'Nightly')).toBeUndefined();
    });

    test('a key that is taken is not given twice', async () => {
      const key = { owner: '1000', key: 'k', bodyHash: 'a', jobId: 1, at: 5 };
      await world.store.commit(aBatch({ newJobs: [aJob(1)], keys: [key] }));
      const second = aBatch({ newJobs: [aJob(2)], keys: [{ ...key, jobId: 2 }] });
      await expect(world.store.commit(second)).rejects.toMatchObject({ code: 'STORE_FAILED' });
      expect(await world.store.findKey('1000', 'k')).toEqual(key);
      expect(await world.store.loadJob(2)).toBeUndefined();
    });

    test('events come in order, all or those of one job, a page at a time', async () => {
      const kinds = [1, 0, 2, 1, 1].map((jobId, at) => ({ at, jobId, kind: `k${at}`, detail: `{"n":${at}}` }));
      await world.store.commit(aBatch({ events: kinds.slice(0, 3) }));
      await world.store.commit(aBatch({ events: kinds.slice(3) }));
      await reopen(world);
      const all = await world.store.findEvents({ after: 0, limit: 100 });
      expect(all.map(({ id: _id, ...rest }) => rest)).toEqual(kinds);
      expect(await world.store.findEvents({ after: all[1]!.id, limit: 2 })).toEqual(all.slice(2, 4));
      const ofOne = await world.store.findEvents({ jobId: 1, after: 0, limit: 100 });
      expect(ofOne.map(({ kind }) => kind)).toEqual(['k0', 'k3', 'k4']);
      expect(await world.store.findEvents({ jobId: 1, after: ofOne[0]!.id, limit: 1 })).toEqual([ofOne[1]]);
      expect((await world.store.findEvents({ jobId: 0, after: 0, limit: 5 })).map(({ kind }) => kind)).toEqual(['k1']);
      expect(await world.store.findEvents({ after: all[4]!.id, limit: 5 })).toEqual([]);
    });
  });
}
