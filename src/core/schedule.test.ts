import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coreJob, coreSession } from '../../test/support/core-jobs.ts';
import { CoreSchedule, type GrantSeen } from '../../test/support/core-schedule.ts';
import { expectRoom } from '../../test/support/expect-room.ts';
import type { Job } from './job.ts';
import type { Lane } from './lane.ts';
import { SCHEDULE_POLICY } from './schedule.ts';
import { TaskState } from './task-state.ts';
import type { WorkerSession } from './worker-session.ts';

const { aheadMs, aheadMax, reserveAfterMs } = SCHEDULE_POLICY;

const needs = fc.record({
  cpus: fc.constantFrom(1, 1, 0.5, 2, 4),
  memoryBytes: fc.constantFrom(0, 0, 10, 40),
  gpus: fc.constantFrom(0, 0, 0, 1, 2, 0.5, 0.3),
  resources: fc.constantFrom<Record<string, number>>({}, {}, {}, { licence: 1 }, { licence: 0.1, disk: 2 }),
});
const jobPlan = fc.record({
  owner: fc.constantFrom('ada', 'bob', 'cleo'),
  priority: fc.constantFrom(0, 0, 0, 5, -1),
  needs,
  size: fc.integer({ min: 1, max: 30 }),
  throttle: fc.constantFrom(0, 0, 1, 3),
  minApi: fc.constantFrom(1, 1, 1, 2),
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
    'lane',
    'lane',
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
    const { size, owner, minApi } = plan;
    const added = coreJob(world.jobs.length + 1, { size, owner, minApi, ...plan.needs });
    added.priority = plan.priority;
    added.throttle = plan.throttle;
    world.add(added);
  }
  if (kind === 'machine' && world.sessions.length < 4) world.connect(machine(world.sessions.length + 1, count));
  if (kind === 'drain') session.draining = !session.draining;
  if (kind === 'connect') session.connected = !session.connected;
  if (job !== undefined) {
    const lane = job.lanes[places.session % job.lanes.length]!;
    if (kind === 'end') world.end(session, job, count);
    if (kind === 'retry') world.end(session, job, count, TaskState.ready);
    if (kind === 'giveBack') world.giveBackAhead(session, job);
    if (kind === 'measure') job.meanWallUs = [0, 3, 900, 20_000, 60_000][count % 5]!;
    if (kind === 'hold') job.held = !job.held;
    if (kind === 'throttle') job.throttle = plan.throttle;
    if (kind === 'priority') world.queue.setPriority(lane, plan.priority);
    if (kind === 'lane') changeLane(job, plan, places.session % job.size, count);
    world.update(job);
  }
  world.topUp.add(session);
}

/** Of few CPUs but much else, so that each of its resources is scarce at times; each third one is of an older release. */
function machine(id: number, cpus: number): WorkerSession {
  const gpus = id % 4;
  return coreSession(id, cpus, 50, { gpus, named: { licence: 1.5, disk: id }, slots: 4 + id }, id % 3 === 0 ? 1 : 2);
}

function changeLane(job: Job, plan: Step['plan'], start: number, count: number): void {
  const lane =
    job.lanes.length < 4 ? job.addLane({ ...plan.needs, timeLimitMs: 0, priority: plan.priority }) : job.lanes[1]!;
  job.table.setLane(start, Math.min(count, job.size - start), lane.number);
}

const lanesOf = (world: CoreSchedule): Lane[] => world.jobs.flatMap(({ lanes }) => [...lanes]);

function ownerSlots(world: CoreSchedule, lane: Lane): number {
  const same = lanesOf(world).filter(
    (other) => other.priority === lane.priority && other.job.facts.owner === lane.job.facts.owner,
  );
  return same.reduce((sum, other) => sum + other.slots, 0);
}

/** Sessions on which a task of the lane could start now. */
function places(world: CoreSchedule, lane: Lane) {
  return world.sessions.filter((session) => {
    // What was saved up when the pass began counts until it ends.
    const saved = [session.reservedFor, world.savedUp.get(session)];
    const open = saved.every((by) => by === undefined || by === lane || by.priority < lane.priority);
    return session.connected && !session.draining && session.fits(lane) >= 1 && open;
  });
}

/** What must be true of a grant at the moment of the decision. */
function checkGrant(world: CoreSchedule, { session, job, lane, count, slots }: GrantSeen): void {
  expect([job.held, session.connected, session.draining]).toEqual([false, true, false]);
  expect(count).toBeLessThanOrEqual(job.room);
  expect(lane.minApi).toBeLessThanOrEqual(session.api);
  if (slots === 0) {
    const share = session.shares.get(lane)!;
    const each =
      job.meanWallUs === 0 ? 0 : Math.min(aheadMax, Math.floor((aheadMs * 1_000) / Math.max(5, job.meanWallUs)));
    expect(share.open - share.slots + count).toBeLessThanOrEqual(each * share.slots);
    expect(lane.needs.gpuShares).toBe(0);
    return;
  }
  expect(slots).toBe(count);
  expect(session.fits(lane)).toBeGreaterThanOrEqual(count);
  const rivals = lanesOf(world).filter(
    (other) => other !== lane && other.wanted > 0 && places(world, other).length > 0,
  );
  for (const rival of rivals) {
    expect(rival.priority).toBeLessThanOrEqual(lane.priority);
    if (rival.priority < lane.priority) continue;
    const [mine, theirs] = [ownerSlots(world, lane), ownerSlots(world, rival)];
    expect(mine).toBeLessThanOrEqual(theirs);
    if (rival.job.facts.owner !== job.facts.owner) continue;
    expect(job.slots).toBeLessThanOrEqual(rival.job.slots);
    if (job.slots !== rival.job.slots) continue;
    expect(keyOf(lane) < keyOf(rival)).toBe(true);
  }
}

/** Turn, then age, in the order of text. */
function keyOf({ turn, job, number }: Lane): string {
  return [turn, job.id, number].map((each) => String(each).padStart(9, '0')).join();
}

function checkAll(world: CoreSchedule): void {
  for (const session of world.sessions) {
    expectRoom(session);
    // Nothing is saved up for a lane that wants nothing; but for one whose last tasks were granted ahead, until the next pass.
    if (session.connected && !session.draining && session.reservedFor !== undefined) {
      const { wanted, starvedSince } = session.reservedFor;
      expect(wanted > 0 || starvedSince === 0).toBe(true);
    }
  }
  for (const job of world.jobs) {
    const held = [...job.grants].reduce((sum, range) => sum + range.open, 0);
    expect(job.slots).toBe(job.lanes.reduce((sum, lane) => sum + lane.slots, 0));
    expect(job.slots).toBeLessThanOrEqual(held);
    expect(job.table.counts[TaskState.leased]).toBe(held);
    for (const lane of job.lanes) {
      expect(lane.heapAt >= 0 || lane.parked).toBe(lane.wanted > 0);
      // Nothing that could start is left waiting.
      if (lane.wanted > 0) expect(places(world, lane)).toEqual([]);
    }
  }
}

describe('schedule', () => {
  it('never exceeds resources or throttle, keeps to bands, owners and turns, and leaves no free slot that fits', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const world = new CoreSchedule();
        world.before = (grant) => checkGrant(world, grant);
        world.connect(machine(1, 4));
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
