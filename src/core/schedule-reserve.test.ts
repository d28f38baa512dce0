import { describe, expect, it } from 'vitest';
import { coreJob, coreSession } from '../../test/support/core-jobs.ts';
import { CoreSchedule } from '../../test/support/core-schedule.ts';
import type { Job } from './job.ts';
import { SCHEDULE_POLICY } from './schedule.ts';
import { TaskState } from './task-state.ts';

const { reserveAfterMs } = SCHEDULE_POLICY;

describe('a wide task', () => {
  /** Two machines full of narrow tasks, and a wide one that needs a whole machine. */
  function starving() {
    const world = new CoreSchedule();
    const [first, second] = [coreSession(1, 2), coreSession(2, 2)];
    const [narrow, wide] = [coreJob(1, { size: 1_000 }), coreJob(2, { size: 1, cpus: 2, owner: 'bob' })];
    world.connect(first, second);
    world.add(narrow);
    world.pass();
    world.add(wide);
    return { world, first, second, narrow, wide };
  }

  it('is passed over at first, then gets a machine reserved, and runs', () => {
    const { world, first, second, narrow, wide } = starving();
    world.end(first, narrow, 1);
    expect(world.pass()).toMatchObject([{ job: narrow, session: first }]);
    world.now += reserveAfterMs - 1;
    world.end(first, narrow, 1);
    expect(world.pass()).toMatchObject([{ job: narrow, session: first }]);
    expect(first.reservedFor).toBeUndefined();
    world.now += 1;
    world.end(first, narrow, 1);
    expect(world.pass()).toEqual([]);
    expect(first.reservedFor).toBe(wide.lanes[0]);
    // The other machine goes on.
    world.end(second, narrow, 1);
    expect(world.pass()).toMatchObject([{ job: narrow, session: second }]);
    expect(second.reservedFor).toBeUndefined();
    world.end(first, narrow, 1);
    expect(world.pass()).toMatchObject([{ job: wide, session: first }]);
    expect([first.reservedFor, wide.lanes[0].starvedSince]).toEqual([undefined, 0]);
  });

  it('makes the reserved machine give its work ahead back', () => {
    const { world, first, second, narrow, wide } = starving();
    narrow.meanWallUs = 10_000;
    world.topUp.add(first).add(second);
    world.pass();
    expect(world.ahead(first, narrow)).toBe(10);
    wide.lanes[0].starvedSince = world.now - reserveAfterMs;
    world.giveBackAhead(first, narrow);
    world.end(first, narrow, 1);
    second.room.cpus += 1e-3;
    world.pass();
    expect(first.reservedFor).toBe(wide.lanes[0]);
    expect(world.revoked).toEqual([]);
    first.reservedFor = undefined;
    first.draining = true;
    world.topUp.clear();
    world.pass();
    expect(second.reservedFor).toBe(wide.lanes[0]);
    expect(world.revoked).toEqual([{ session: second, job: narrow }]);
    world.end(second, narrow, 9);
    expect(world.pass()).toEqual([]);
  });

  it('that got its place elsewhere frees the reserved machine for those passed over in the same pass', () => {
    const { world, first, second, narrow, wide } = starving();
    world.end(first, narrow, 1);
    world.pass();
    world.now += reserveAfterMs;
    world.end(first, narrow, 1);
    world.pass();
    expect(first.reservedFor).toBe(wide.lanes[0]);
    world.end(second, narrow, 2);
    const granted = world.pass();
    expect(granted[0]).toMatchObject({ job: wide, session: second });
    expect(granted[1]).toMatchObject({ job: narrow, session: first });
    expect(first.reservedFor).toBeUndefined();
  });

  it('gives way in that pass also to who was passed over before it', () => {
    const world = new CoreSchedule();
    const [first, second] = [coreSession(1, 2, 100), coreSession(2, 3, 0)];
    const [narrow, wide] = [coreJob(1, { size: 1_000 }), coreJob(2, { size: 1, cpus: 2, owner: 'bob' })];
    const other = coreJob(3, { size: 1_000, owner: 'bob' });
    world.connect(first, second);
    world.add(narrow, other);
    world.pass();
    world.add(wide);
    wide.lanes[0].starvedSince = world.now - reserveAfterMs;
    for (const job of [narrow, other]) {
      job.held = true;
      world.update(job);
    }
    const [holder] = [...first.shares.keys()];
    world.end(first, world.jobs.find(({ id }) => id === holder!.job.id)!, 1);
    world.pass();
    expect(first.reservedFor).toBe(wide.lanes[0]);
    // Of an owner with less: first in line, and kept from the saved machine, the only one with memory.
    const needsMemory = coreJob(4, { memoryBytes: 10, owner: 'cleo' });
    world.add(needsMemory);
    for (const job of [narrow, wide].filter(({ lanes: [lane] }) => second.shares.has(lane))) world.end(second, job, 9);
    const free = second.freeCpus;
    if (free < 2) world.end(second, other, 1);
    expect(world.pass().map(({ job, session }) => [job.id, session.id])).toEqual([
      [2, 2],
      [4, 1],
    ]);
  });

  it('holds up no higher band while a machine is saved for it', () => {
    const { world, first, narrow, wide } = starving();
    wide.lanes[0].starvedSince = world.now - reserveAfterMs;
    world.end(first, narrow, 1);
    expect(world.pass()).toEqual([]);
    expect(first.reservedFor).toBe(wide.lanes[0]);
    const [same, high] = [coreJob(3, { owner: 'cleo' }), coreJob(4, { owner: 'cleo' })];
    high.priority = 1;
    world.add(same, high);
    expect(world.pass()).toMatchObject([{ job: high, session: first }]);
    expect(first.reservedFor).toBe(wide.lanes[0]);
  });

  it.each([
    ['held', (job: Job) => (job.held = true)],
    ['cancelled', (job: Job) => job.table.move(0, TaskState.cancelled)],
  ])('that is %s frees the machine, and starves anew when it comes back', (_, stop) => {
    const { world, first, narrow, wide } = starving();
    world.end(first, narrow, 1);
    world.pass();
    world.now += reserveAfterMs;
    world.end(first, narrow, 1);
    expect(world.pass()).toEqual([]);
    stop(wide);
    world.update(wide);
    expect(world.pass()).toMatchObject([{ job: narrow, session: first }]);
    expect([first.reservedFor, wide.lanes[0].starvedSince]).toEqual([undefined, 0]);
  });

  it('gets no machine reserved that is too small, and none while another is', () => {
    const world = new CoreSchedule();
    const [small, large] = [coreSession(1, 2), coreSession(2, 4)];
    world.connect(small, large);
    world.add(coreJob(1, { size: 1_000 }));
    world.pass();
    const [huge, wide, other] = [
      coreJob(2, { cpus: 64, owner: 'bob' }),
      coreJob(3, { cpus: 4, owner: 'cleo' }),
      coreJob(4, { cpus: 4, owner: 'dora' }),
    ];
    for (const job of [huge, wide, other]) job.lanes[0].starvedSince = world.now - reserveAfterMs;
    world.add(huge, wide, other);
    world.end(small, world.jobs[0]!, 1);
    world.pass();
    expect([small.reservedFor, large.reservedFor]).toEqual([undefined, wide.lanes[0]]);
    world.end(small, world.jobs[0]!, 1);
    world.pass();
    expect([small.reservedFor, large.reservedFor]).toEqual([undefined, wide.lanes[0]]);
  });

  it('does not hold up a pass when hundreds of its like wait', () => {
    const { world, first, narrow } = starving();
    for (let id = 3; id <= 302; id++) world.add(coreJob(id, { cpus: 2, owner: `o${id}` }));
    world.end(first, narrow, 1);
    expect(world.pass()).toEqual([]);
    expect(world.jobs.filter(({ lanes: [lane] }) => lane.starvedSince !== 0)).toHaveLength(256);
    // The next pass looks at the others, of which one fits, and then all are in line again.
    expect(world.pass()).toMatchObject([{ job: narrow }]);
    expect(world.jobs.filter(({ lanes: [lane] }) => lane.starvedSince !== 0)).toHaveLength(301);
    expect(world.jobs.every(({ lanes: [lane] }) => lane.heapAt >= 0)).toBe(true);
  });

  it('in hundreds of jobs does not keep what fits, of the same owner and behind them, waiting for ever', () => {
    const world = new CoreSchedule();
    const session = coreSession(1, 8, 100, { gpus: 1 });
    world.connect(session);
    for (let id = 1; id <= 600; id++) world.add(coreJob(id, { gpus: 1 }));
    const plain = coreJob(601);
    world.add(plain);
    const [first, ...more] = [world.pass(), world.pass(), world.pass()];
    expect(first).toMatchObject([{ job: { id: 1 } }]);
    expect(more).toEqual([[], [expect.objectContaining({ job: plain })]]);
    // One of those that were passed over ended meanwhile: it does not come back.
    world.jobs[1]!.held = true;
    world.update(world.jobs[1]!);
    world.end(session, world.jobs[0]!, 1);
    expect(world.pass()).toMatchObject([{ job: { id: 3 } }]);
  });

  it('that no machine is large enough for keeps nobody else waiting, however many there are', () => {
    const world = new CoreSchedule();
    world.connect(coreSession(1, 1));
    for (let id = 1; id <= 300; id++) world.add(coreJob(id, { cpus: 2, owner: `o${id}` }));
    const narrow = coreJob(301, { owner: 'zoe' });
    world.add(narrow);
    expect(world.pass()).toMatchObject([{ job: narrow }]);
  });

  it('asks each machine once whether it is large enough, however often it is passed over', () => {
    const { world, first, second, narrow, wide } = starving();
    let asked = 0;
    const couldFit = second.couldFit.bind(second);
    second.couldFit = (lane) => {
      asked += lane === wide.lanes[0] ? 1 : 0;
      return couldFit(lane);
    };
    first.couldFit = () => false;
    for (let round = 0; round < 5; round++) {
      world.end(first, narrow, 1);
      world.pass();
    }
    expect([asked, wide.lanes[0].starvedSince > 0]).toEqual([1, true]);
    // Without it no machine is.
    second.draining = true;
    world.end(first, narrow, 1);
    world.pass();
    expect(wide.lanes[0].parked).toBe(true);
  });
});
