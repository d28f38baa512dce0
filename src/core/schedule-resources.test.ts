import { describe, expect, it } from 'vitest';
import { coreJob, coreSession } from '../../test/support/core-jobs.ts';
import { CoreSchedule } from '../../test/support/core-schedule.ts';
import { GrantRange } from './grant-range.ts';
import type { JobFacts } from './job.ts';
import { SCHEDULE_POLICY } from './schedule.ts';

const { reserveAfterMs } = SCHEDULE_POLICY;
type Facts = Partial<JobFacts>;

describe('a task that is wide in one resource, among narrow ones', () => {
  it.each<[string, Facts, Facts]>([
    ['GPUs', { gpus: 1 }, { gpus: 2 }],
    ['shares of a GPU', { gpus: 0.5 }, { gpus: 2 }],
    ['memory', { memoryBytes: 50 }, { memoryBytes: 100 }],
    ['a named resource', { resources: { licence: 0.5 } }, { resources: { licence: 1 } }],
    ['CPUs', {}, { cpus: 2 }],
  ])('of %s gets its place', (_, narrowFacts, wideFacts) => {
    const world = new CoreSchedule();
    const session = coreSession(1, 2, 100, { gpus: 2, named: { licence: 1 } });
    world.connect(session);
    const narrow = coreJob(1, { size: 10_000, ...narrowFacts });
    const wide = coreJob(2, { owner: 'bob', ...wideFacts });
    world.add(narrow);
    world.pass();
    world.add(wide);
    let rounds = 0;
    // Narrow tasks end one by one, so that what the wide one needs is never free by itself.
    for (; wide.slots === 0 && rounds < 100; rounds++) {
      world.now += 100;
      world.end(session, narrow, 1);
      world.pass();
    }
    expect(rounds * 100).toBeGreaterThanOrEqual(reserveAfterMs);
    expect(wide.slots).toBe(1);
    expect(rounds * 100).toBeLessThan(reserveAfterMs + 1_000);
  });

  it('keeps nobody from what it does not wait for', () => {
    const world = new CoreSchedule();
    const session = coreSession(1, 8, 100, { gpus: 2 });
    world.connect(session);
    const [narrow, wide] = [coreJob(1, { size: 100, gpus: 1 }), coreJob(2, { owner: 'bob', gpus: 2, cpus: 4 })];
    world.add(narrow);
    world.pass();
    world.add(wide);
    wide.lanes[0].starvedSince = world.now - reserveAfterMs;
    world.end(session, narrow, 1);
    world.pass();
    expect(session.reservedFor).toBe(wide.lanes[0]);
    const [plain, sharing] = [coreJob(3, { size: 9, owner: 'cleo' }), coreJob(4, { owner: 'dora', gpus: 0.1 })];
    world.add(plain, sharing);
    // Seven CPUs are free, of which the wide task keeps four.
    expect([world.pass().every(({ job }) => job === plain), plain.slots]).toEqual([true, 3]);
    world.end(session, narrow, 1);
    expect(world.pass()[0]).toMatchObject({ job: wide, session });
  });

  it('gets the machine saved that is nearest to having it', () => {
    const world = new CoreSchedule();
    const [roomy, near] = [coreSession(1, 9, 100, { gpus: 4 }), coreSession(2, 5, 100, { gpus: 4 })];
    world.connect(roomy, near);
    const blocker = coreJob(1, { size: 2, gpus: 4 });
    world.add(blocker);
    world.pass();
    world.end(near, blocker, 1);
    const small = coreJob(2, { size: 3, gpus: 1 });
    world.add(small);
    world.pass();
    const wide = coreJob(3, { owner: 'bob', gpus: 2 });
    world.add(wide);
    wide.lanes[0].starvedSince = world.now - reserveAfterMs;
    world.pass();
    expect([roomy.reservedFor, near.reservedFor]).toEqual([undefined, wide.lanes[0]]);
  });
});

describe('lanes and machines', () => {
  it('a lane gets no work ahead where it needs a GPU', () => {
    const world = new CoreSchedule();
    const session = coreSession(1, 4, 100, { gpus: 1 });
    world.connect(session);
    const [sharing, plain] = [coreJob(1, { size: 100, gpus: 0.5 }), coreJob(2, { size: 1_000, owner: 'bob' })];
    for (const job of [sharing, plain]) job.meanWallUs = 1_000;
    world.add(sharing, plain);
    world.pass();
    expect([sharing.slots, world.ahead(session, sharing), world.ahead(session, plain)]).toEqual([2, 0, 100]);
  });

  it('shares of GPUs stay where they are when they are laid over a session after a restart', () => {
    const world = new CoreSchedule();
    const session = coreSession(1, 8, 100, { gpus: 2 });
    world.connect(session);
    const [large, small] = [coreJob(1, { size: 2, gpus: 0.6 }), coreJob(2, { size: 2, gpus: 0.4, owner: 'bob' })];
    world.add(large, small);
    world.pass();
    expect([...session.room.gpus.used]).toEqual([10_000, 10_000]);
    const again = coreSession(1, 8, 100, { gpus: 2 });
    // In another order the small ones would find their place first, and the large ones none.
    for (const job of [small, large]) {
      for (const range of job.grants) {
        const stored = new GrantRange(range.fence, range.count, range.jobId, range.position, 1);
        stored.unpack(range.pack());
        again.addGrant(stored, job.lanes[0], stored.open, 0);
      }
    }
    expect([...again.room.gpus.used]).toEqual([10_000, 10_000]);
    const [first] = [...small.grants];
    again.closeGrants(small.lanes[0], first!.fence, 1);
    expect([again.room.gpus.fits(4_000), again.room.gpus.fits(10_000)]).toEqual([1, 0]);
    // Of a range that is half closed, only what is open has its device.
    const half = new GrantRange(900, 2, 2, 0, 1);
    half.close(0);
    again.addGrant(half, small.lanes[0], 1, 0);
    expect([...again.room.gpus.used]).toEqual([10_000, 10_000]);
  });

  it('no more tasks than a machine has slots', () => {
    const world = new CoreSchedule();
    world.connect(coreSession(1, 64, 100, { slots: 3 }));
    world.add(coreJob(1, { size: 100, cpus: 0.1 }));
    expect(world.pass().map(({ count }) => count)).toEqual([3]);
    expect(world.pass()).toEqual([]);
  });

  it('jobs that fit nowhere are looked at once, and again when another machine is there', () => {
    const world = new CoreSchedule();
    const small = coreSession(1, 1);
    world.connect(small);
    for (let id = 1; id <= 1_000; id++) world.add(coreJob(id, { cpus: 2, owner: `o${id}` }));
    const narrow = coreJob(1_001, { size: 10, owner: 'zoe' });
    world.add(narrow);
    expect(world.pass()).toMatchObject([{ job: narrow }]);
    expect(world.jobs.filter(({ lanes: [lane] }) => lane.parked)).toHaveLength(1_000);
    expect(world.queue.hasRival(narrow.lanes[0])).toBe(false);
    // One that leaves makes nothing possible; one that stops draining is as good as new.
    small.draining = true;
    world.pass();
    expect(world.jobs[0]!.lanes[0].parked).toBe(true);
    small.draining = false;
    world.connect(coreSession(2, 2));
    expect(world.pass()).toMatchObject([{ job: world.jobs[0] }]);
    expect(world.jobs.every(({ lanes: [lane] }) => !lane.parked)).toBe(true);
  });

  it('a worker of an older release gets what it understands, and keeps nobody else from a newer one', () => {
    const world = new CoreSchedule();
    const [old, current] = [coreSession(1, 4, 100, {}, 1), coreSession(2, 1, 100)];
    const [plain, newer] = [coreJob(1, { size: 2 }), coreJob(2, { size: 2, owner: 'bob', minApi: 2 })];
    world.connect(old);
    world.add(newer, plain);
    expect(world.pass().map(({ job }) => job.id)).toEqual([1]);
    expect(newer.lanes[0].parked).toBe(true);
    world.connect(current);
    expect(world.pass().map(({ job, session }) => [job.id, session.id])).toEqual([[2, 2]]);
    expect(old.fitsBeside(newer.lanes[0], plain.lanes[0])).toBe(0);
  });
});
