import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coreJob, coreSession } from '../../test/support/core-jobs.ts';
import { CoreSchedule, type GrantSeen } from '../../test/support/core-schedule.ts';
import type { Job } from './job.ts';
import { SCHEDULE_POLICY } from './schedule.ts';
import { TaskState } from './task-state.ts';

const { aheadMs, aheadMax, quantumMs, reserveAfterMs } = SCHEDULE_POLICY;

const jobPlan = fc.record({
  owner: fc.constantFrom('ada', 'bob', 'cleo'),
  priority: fc.constantFrom(0, 0, 0, 5, -1),
  cpus: fc.constantFrom(1, 1, 0.5, 2, 4),
  memoryBytes: fc.constantFrom(0, 0, 10, 40),
  size: fc.integer({ min: 1, max: 30 }),
  throttle: fc.constantFrom(0, 0, 1, 3),
});
const step = fc.record({
  kind: fc.constantFrom(
    'submit',
    'submit',
    'end',
    'end',
    'end',
    'retry',
    'pass',
    'hold',
    'throttle',
    'priority',
    'drain',
    'connect',
    'measure',
    'giveBack',
    'machine',
  ),
  plan: jobPlan,
  job: fc.nat(),
  session: fc.nat(),
  count: fc.integer({ min: 1, max: 9 }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function act(world: CoreSchedule, { kind, plan, count, ...places }: Step): void {
  const job = world.jobs[places.job % Math.max(1, world.jobs.length)];
  const session = world.sessions[places.session % world.sessions.length]!;
  world.now += kind === 'pass' ? reserveAfterMs : 30;
  if (kind === 'submit' && world.jobs.length < 12) {
    const added = coreJob(world.jobs.length + 1, plan);
    added.priority = plan.priority;
    added.throttle = plan.throttle;
    world.add(added);
  }
  if (kind === 'machine' && world.sessions.length < 4) world.connect(coreSession(world.sessions.length + 1, count, 50));
  if (kind === 'drain') session.draining = !session.draining;
  if (kind === 'connect') session.connected = !session.connected;
  if (job !== undefined) {
    if (kind === 'end') world.end(session, job, count);
    if (kind === 'retry') world.end(session, job, count, TaskState.ready);
    if (kind === 'giveBack') world.giveBackAhead(session, job);
    if (kind === 'measure') job.meanWallUs = [0, 3, 900, 20_000, 60_000][count % 5]!;
    if (kind === 'hold') job.held = !job.held;
    if (kind === 'throttle') job.throttle = plan.throttle;
    if (kind === 'priority') world.queue.setPriority(job, plan.priority);
    world.update(job);
  }
  world.topUp.add(session);
}

function ownerSlots(world: CoreSchedule, job: Job): number {
  const same = world.jobs.filter((other) => other.priority === job.priority && other.facts.owner === job.facts.owner);
  return same.reduce((sum, other) => sum + other.slots, 0);
}

/** Sessions on which a task of the job could start now. */
function places(world: CoreSchedule, job: Job) {
  return world.sessions.filter((session) => {
    // What was saved up when the pass began counts until it ends.
    const saved = [session.reservedFor, world.savedUp.get(session)];
    const open = saved.every((by) => by === undefined || by === job || by.priority < job.priority);
    return session.connected && !session.draining && session.fits(job) >= 1 && open;
  });
}

/** What must be true of a grant at the moment of the decision. */
function checkGrant(world: CoreSchedule, { session, job, count, slots }: GrantSeen): void {
  expect([job.held, session.connected, session.draining]).toEqual([false, true, false]);
  expect(count).toBeLessThanOrEqual(job.room);
  if (slots === 0) {
    const share = session.shares.get(job.id)!;
    const each =
      job.meanWallUs === 0 ? 0 : Math.min(aheadMax, Math.floor((aheadMs * 1_000) / Math.max(5, job.meanWallUs)));
    expect(share.open - share.slots + count).toBeLessThanOrEqual(each * share.slots);
    return;
  }
  expect(slots).toBe(count);
  expect(session.fits(job)).toBeGreaterThanOrEqual(count);
  const rivals = world.jobs.filter((other) => other !== job && other.wanted > 0 && places(world, other).length > 0);
  for (const rival of rivals) {
    expect(rival.priority).toBeLessThanOrEqual(job.priority);
    if (rival.priority < job.priority) continue;
    const [mine, theirs] = [ownerSlots(world, job), ownerSlots(world, rival)];
    expect(mine).toBeLessThanOrEqual(theirs);
    if (rival.facts.owner !== job.facts.owner) continue;
    expect(job.slots).toBeLessThanOrEqual(rival.slots);
    if (job.slots !== rival.slots) continue;
    expect(job.turn < rival.turn || (job.turn === rival.turn && job.id < rival.id)).toBe(true);
  }
}

function checkAll(world: CoreSchedule): void {
  for (const session of world.sessions) {
    expect(session.freeCpus).toBeGreaterThan(-1e-6);
    expect(session.freeMemoryBytes).toBeGreaterThanOrEqual(0);
    // Nothing is saved up for a job that wants nothing; but for one whose last tasks were granted ahead, until the next pass.
    if (session.connected && !session.draining && session.reservedFor !== undefined) {
      const { wanted, starvedSince } = session.reservedFor;
      expect(wanted > 0 || starvedSince === 0).toBe(true);
    }
  }
  for (const job of world.jobs) {
    expect(job.heapAt >= 0).toBe(job.wanted > 0);
    const held = [...job.grants].reduce((sum, range) => sum + range.open, 0);
    expect(job.slots).toBeLessThanOrEqual(held);
    expect(job.table.counts[TaskState.leased]).toBe(held);
    // Nothing that could start is left waiting.
    if (job.wanted > 0) expect(places(world, job)).toEqual([]);
  }
}

describe('schedule', () => {
  it('never exceeds resources or throttle, keeps to bands, owners and turns, and leaves no free slot that fits', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const world = new CoreSchedule();
        world.before = (grant) => checkGrant(world, grant);
        world.connect(coreSession(1, 4, 50));
        for (const each of steps) {
          act(world, each);
          world.pass();
          world.savedUp.clear();
          checkAll(world);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('gives all free slots at once to a job that is alone, and one after the other to rivals', () => {
    const world = new CoreSchedule();
    world.connect(coreSession(1, 8));
    world.add(coreJob(1, { size: 100 }));
    expect(world.pass().map(({ count }) => count)).toEqual([8]);
    const rivals = new CoreSchedule();
    rivals.connect(coreSession(1, 6));
    rivals.add(coreJob(1, { size: 100 }), coreJob(2, { size: 100 }), coreJob(3, { size: 100, owner: 'bob' }));
    expect(rivals.pass().map(({ job, count }) => `${job.id} x ${count}`)).toEqual([
      '1 x 1',
      '3 x 1',
      '2 x 1',
      '3 x 1',
      '1 x 1',
      '3 x 1',
    ]);
  });

  it('spreads the load: the machine with most free CPUs is next', () => {
    const world = new CoreSchedule();
    world.connect(coreSession(1, 2), coreSession(2, 4));
    world.add(coreJob(1, { size: 100 }));
    expect(world.pass().map(({ session, count }) => [session.id, count])).toEqual([
      [2, 1],
      [2, 1],
      [1, 1],
      [2, 1],
      [1, 1],
      [2, 1],
    ]);
  });

  it('grants around holes in what is ready', () => {
    const world = new CoreSchedule();
    world.connect(coreSession(1, 3));
    const job = coreJob(1, { size: 5 });
    job.table.move(1, TaskState.completed);
    job.table.move(3, TaskState.completed);
    world.add(job);
    expect(world.pass().map(({ count }) => count)).toEqual([1, 1, 1]);
    expect(world.pass()).toEqual([]);
  });
});

describe('work ahead', () => {
  it.each([
    [0, 0],
    [60_000, 0],
    [50_000, 1],
    [20_000, 2],
    [1_000, 50],
    [1, 10_000],
  ])('of tasks of %d microseconds: %d a slot', (meanWallUs, each) => {
    const world = new CoreSchedule();
    const [session, job] = [coreSession(1, 2), coreJob(1, { size: 100_000 })];
    world.connect(session);
    world.add(job);
    job.meanWallUs = meanWallUs;
    world.pass();
    expect(world.ahead(session, job)).toBe(2 * each);
  });

  it('is topped up when half of it is gone, and not for each task', () => {
    const world = new CoreSchedule();
    const [session, job] = [coreSession(1, 1), coreJob(1, { size: 100_000 })];
    world.connect(session);
    world.add(job);
    job.meanWallUs = 1_000;
    world.pass();
    world.end(session, job, 24);
    expect(world.pass()).toEqual([]);
    world.end(session, job, 1);
    expect(world.pass().map(({ count, slots }) => [count, slots])).toEqual([[25, 0]]);
    expect(world.ahead(session, job)).toBe(50);
  });

  it('is not given beyond the throttle', () => {
    const world = new CoreSchedule();
    const [session, job] = [coreSession(1, 2), coreJob(1, { size: 100 })];
    world.connect(session);
    job.throttle = 7;
    job.meanWallUs = 1_000;
    world.add(job);
    world.pass();
    expect(world.ahead(session, job)).toBe(5);
  });

  it('is not given to a session that is draining or gone', () => {
    const world = new CoreSchedule();
    const [drained, gone] = [coreSession(1, 1), coreSession(2, 1)];
    const job = coreJob(1, { size: 100 });
    world.connect(drained, gone);
    world.add(job);
    world.pass();
    job.meanWallUs = 1_000;
    drained.draining = true;
    gone.connected = false;
    world.topUp.add(drained).add(gone);
    expect(world.pass()).toEqual([]);
  });

  it('is asked back once a job that is entitled has waited for the quantum, and no more is given', () => {
    const world = new CoreSchedule();
    const [session, holder] = [coreSession(1, 2), coreJob(1, { size: 1_000 })];
    world.connect(session);
    world.add(holder);
    holder.meanWallUs = 1_000;
    world.pass();
    const waiting = coreJob(2, { size: 10, owner: 'bob' });
    world.add(waiting);
    world.now += quantumMs - 1;
    world.topUp.add(session);
    world.pass();
    expect(world.revoked).toEqual([]);
    world.now += 1;
    world.topUp.add(session);
    world.pass();
    expect(world.revoked).toEqual([{ session, job: holder }]);
    world.giveBackAhead(session, holder);
    expect(world.pass()).toEqual([]);
    expect(world.revoked).toHaveLength(1);
    world.end(session, holder, 1);
    expect(world.pass().filter(({ slots }) => slots > 0)).toMatchObject([{ job: waiting }]);
  });

  it('stays when the next in line has as many slots as the holder', () => {
    const world = new CoreSchedule();
    const session = coreSession(1, 2);
    const [next, holder] = [coreJob(1, { size: 1_000 }), coreJob(2, { size: 1_000 })];
    world.connect(session);
    world.add(next, holder);
    world.pass();
    expect([next.slots, holder.slots, world.queue.peek()]).toEqual([1, 1, next]);
    holder.meanWallUs = 1_000;
    world.now += 10 * quantumMs;
    world.topUp.add(session);
    world.pass();
    expect(world.ahead(session, holder)).toBe(50);
    world.topUp.add(session);
    world.pass();
    expect(world.revoked).toEqual([]);
  });

  it.each([
    ['is of a lower band', { cpus: 1 }, -1],
    ['could never run here', { cpus: 3 }, 0],
  ])('stays when who waits %s', (_, facts, priority) => {
    const world = new CoreSchedule();
    const [session, holder] = [coreSession(1, 2), coreJob(1, { size: 1_000 })];
    world.connect(session);
    world.add(holder);
    holder.meanWallUs = 1_000;
    world.pass();
    const waiting = coreJob(2, { size: 10, owner: 'bob', ...facts });
    waiting.priority = priority;
    world.add(waiting);
    world.now += 10 * quantumMs;
    world.end(session, holder, 60);
    expect(world.pass().map(({ job }) => job)).toEqual([holder]);
    expect(world.revoked).toEqual([]);
  });
});

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
    expect(first.reservedFor).toBe(wide);
    // The other machine goes on.
    world.end(second, narrow, 1);
    expect(world.pass()).toMatchObject([{ job: narrow, session: second }]);
    expect(second.reservedFor).toBeUndefined();
    world.end(first, narrow, 1);
    expect(world.pass()).toMatchObject([{ job: wide, session: first }]);
    expect([first.reservedFor, wide.starvedSince]).toEqual([undefined, 0]);
  });

  it('makes the reserved machine give its work ahead back', () => {
    const { world, first, second, narrow, wide } = starving();
    narrow.meanWallUs = 10_000;
    world.topUp.add(first).add(second);
    world.pass();
    expect(world.ahead(first, narrow)).toBe(10);
    wide.starvedSince = world.now - reserveAfterMs;
    world.giveBackAhead(first, narrow);
    world.end(first, narrow, 1);
    second.freeCpus += 1e-3;
    world.pass();
    expect(first.reservedFor).toBe(wide);
    expect(world.revoked).toEqual([]);
    first.reservedFor = undefined;
    first.draining = true;
    world.topUp.clear();
    world.pass();
    expect(second.reservedFor).toBe(wide);
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
    expect(first.reservedFor).toBe(wide);
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
    wide.starvedSince = world.now - reserveAfterMs;
    for (const job of [narrow, other]) {
      job.held = true;
      world.update(job);
    }
    const [holder] = [...first.shares.values()];
    world.end(first, holder!.job, 1);
    world.pass();
    expect(first.reservedFor).toBe(wide);
    // Of an owner with less: first in line, and kept from the saved machine, the only one with memory.
    const needsMemory = coreJob(4, { memoryBytes: 10, owner: 'cleo' });
    world.add(needsMemory);
    for (const { job } of [...second.shares.values()].filter((share) => share.job !== other)) world.end(second, job, 9);
    const free = second.freeCpus;
    if (free < 2) world.end(second, other, 1);
    expect(world.pass().map(({ job, session }) => [job.id, session.id])).toEqual([
      [2, 2],
      [4, 1],
    ]);
  });

  it('holds up no higher band while a machine is saved for it', () => {
    const { world, first, narrow, wide } = starving();
    wide.starvedSince = world.now - reserveAfterMs;
    world.end(first, narrow, 1);
    expect(world.pass()).toEqual([]);
    expect(first.reservedFor).toBe(wide);
    const [same, high] = [coreJob(3, { owner: 'cleo' }), coreJob(4, { owner: 'cleo' })];
    high.priority = 1;
    world.add(same, high);
    expect(world.pass()).toMatchObject([{ job: high, session: first }]);
    expect(first.reservedFor).toBe(wide);
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
    expect([first.reservedFor, wide.starvedSince]).toEqual([undefined, 0]);
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
    for (const job of [huge, wide, other]) job.starvedSince = world.now - reserveAfterMs;
    world.add(huge, wide, other);
    world.end(small, world.jobs[0]!, 1);
    world.pass();
    expect([small.reservedFor, large.reservedFor]).toEqual([undefined, wide]);
    world.end(small, world.jobs[0]!, 1);
    world.pass();
    expect([small.reservedFor, large.reservedFor]).toEqual([undefined, wide]);
  });

  it('does not hold up a pass when hundreds of its like wait', () => {
    const { world, first, narrow } = starving();
    for (let id = 3; id <= 302; id++) world.add(coreJob(id, { cpus: 2, owner: `o${id}` }));
    world.end(first, narrow, 1);
    expect(world.pass()).toEqual([]);
    expect(world.jobs.filter(({ starvedSince }) => starvedSince !== 0)).toHaveLength(256);
    expect(world.jobs.every((job) => job.heapAt >= 0)).toBe(true);
  });

  it('that no machine is large enough for keeps nobody else waiting, however many there are', () => {
    const world = new CoreSchedule();
    world.connect(coreSession(1, 1));
    for (let id = 1; id <= 300; id++) world.add(coreJob(id, { cpus: 2, owner: `o${id}` }));
    const narrow = coreJob(301, { owner: 'zoe' });
    world.add(narrow);
    expect(world.pass()).toMatchObject([{ job: narrow }]);
  });
});
