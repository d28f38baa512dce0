import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { coreJob, coreSession } from '../../test/support/core-jobs.ts';
import { CoreSchedule } from '../../test/support/core-schedule.ts';
import { expectRoom } from '../../test/support/expect-room.ts';
import type { Gang } from './gang.ts';
import type { Job } from './job.ts';
import { Reservations } from './reservations.ts';
import { SCHEDULE_POLICY } from './schedule.ts';
import { TaskState } from './task-state.ts';

const { reserveAfterMs } = SCHEDULE_POLICY;
const gang = (more: Partial<Gang>): Gang => ({ cpusPerTask: 1, memoryBytesPerTask: 0, gpusPerTask: 0, ...more });
const nodes = (count: number) => ({ nodes: { min: count, max: count } });

/** Machines full of narrow tasks of one CPU. */
function full(machines: number, cpus = 2) {
  const world = new CoreSchedule();
  const sessions = Array.from({ length: machines }, (_, at) => coreSession(at + 1, cpus));
  world.connect(...sessions);
  const narrow = coreJob(1, { size: 100_000 });
  world.add(narrow);
  world.pass();
  return { world, sessions, narrow };
}

describe('a gang', () => {
  it('gets all of its sessions in one step, or none', () => {
    const { world, sessions, narrow } = full(2);
    const pair = coreJob(2, { owner: 'bob', gang: gang(nodes(2)) });
    world.add(pair);
    world.end(sessions[0]!, narrow, 1);
    narrow.held = true;
    expect(world.pass()).toEqual([]);
    world.end(sessions[1]!, narrow, 1);
    const [granted] = world.pass();
    expect(granted).toMatchObject({ job: pair, session: sessions[0] });
    expect(granted!.places!.map(({ session }) => session)).toEqual(sessions);
    expect([pair.slots, ...sessions.map(({ places }) => places.size)]).toEqual([1, 1, 1]);
    world.end(sessions[0]!, pair, 1);
    expect(sessions.map(({ places, freeCpus }) => [places.size, freeCpus])).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  it('that fits in all and not now makes sessions save up for it, and others beside them go on', () => {
    const { world, sessions, narrow } = full(3);
    const pair = coreJob(2, { owner: 'bob', gang: gang({ ...nodes(2), tasksPerNode: 2 }) });
    world.add(pair);
    let rounds = 0;
    for (; pair.slots === 0 && rounds < 200; rounds++) {
      world.now += 100;
      world.end(sessions[rounds % 3]!, narrow, 1);
      world.pass();
    }
    expect(pair.slots).toBe(1);
    expect(rounds * 100).toBeGreaterThanOrEqual(reserveAfterMs);
    expect(rounds * 100).toBeLessThan(reserveAfterMs + 1_500);
    expect(sessions.some(({ reservedFor, savedNeeds }) => reservedFor !== undefined || savedNeeds !== undefined)).toBe(
      false,
    );
  });

  it('lets others have what it does not save up', () => {
    const { world, sessions, narrow } = full(2, 4);
    const pair = coreJob(2, { owner: 'bob', gang: gang({ ...nodes(2), tasksPerNode: 3 }) });
    world.add(pair);
    pair.lanes[0].starvedSince = world.now - reserveAfterMs;
    world.end(sessions[0]!, narrow, 3);
    world.end(sessions[1]!, narrow, 1);
    world.pass();
    expect(sessions.map(({ reservedFor }) => reservedFor)).toEqual([pair.lanes[0], pair.lanes[0]]);
    expect(sessions.map(({ freeCpus }) => freeCpus)).toEqual([3, 1]);
    world.end(sessions[0]!, narrow, 1);
    expect(world.pass()).toMatchObject([{ job: narrow, session: sessions[0] }]);
  });

  it('chooses others when one that saved up leaves', () => {
    const { world, sessions } = full(3);
    const pair = coreJob(2, { owner: 'bob', gang: gang({ ...nodes(2), tasksPerNode: 2 }) });
    world.add(pair);
    pair.lanes[0].starvedSince = world.now - reserveAfterMs;
    world.end(sessions[0]!, world.jobs[0]!, 1);
    world.pass();
    const saving = sessions.filter(({ reservedFor }) => reservedFor === pair.lanes[0]);
    expect(saving).toHaveLength(2);
    saving[1]!.draining = true;
    world.end(sessions[0]!, world.jobs[0]!, 1);
    world.pass();
    const now = sessions.filter(({ reservedFor, draining }) => reservedFor === pair.lanes[0] && !draining);
    expect(now).toHaveLength(2);
  });

  it('that needs more sessions than there are is parked until another one comes', () => {
    const { world } = full(1);
    const pair = coreJob(2, { owner: 'bob', gang: gang(nodes(2)) });
    world.add(pair);
    world.jobs[0]!.held = true;
    world.end(world.sessions[0]!, world.jobs[0]!, 1);
    expect([world.pass(), pair.lanes[0].parked]).toEqual([[], true]);
    world.connect(coreSession(2, 1));
    expect(world.pass()).toMatchObject([{ job: pair }]);
  });

  it('is not starved by wide tasks that began to wait later', () => {
    const { world, sessions, narrow } = full(2);
    narrow.held = true;
    const trio = coreJob(2, { owner: 'bob', gang: gang({ ...nodes(2), tasksPerNode: 2 }) });
    const wides = Array.from({ length: 40 }, (_, at) => coreJob(10 + at, { owner: `o${at}`, cpus: 2 }));
    world.add(wides[0]!);
    wides[0]!.lanes[0].starvedSince = world.now - reserveAfterMs - 1;
    world.end(sessions[0]!, narrow, 1);
    world.pass();
    expect(sessions[0]!.reservedFor).toBe(wides[0]!.lanes[0]);
    world.add(trio);
    trio.lanes[0].starvedSince = world.now - reserveAfterMs;
    for (const wide of wides.slice(1)) {
      world.add(wide);
      wide.lanes[0].starvedSince = world.now - reserveAfterMs;
    }
    let granted = 0;
    for (let round = 0; trio.slots === 0 && round < 50; round++) {
      for (const job of world.jobs) for (const session of sessions) world.end(session, job, 1);
      granted += world.pass().filter(({ job }) => job !== trio).length;
      world.now += 100;
    }
    expect(trio.slots).toBe(1);
    expect(granted).toBeLessThan(4);
  });

  it('keeps nothing from a higher band, which also reserves before it', () => {
    const { world, sessions, narrow } = full(2);
    const pair = coreJob(2, { owner: 'bob', gang: gang({ ...nodes(2), tasksPerNode: 2 }) });
    const urgent = coreJob(3, { owner: 'cleo', cpus: 2 });
    urgent.priority = 5;
    const wide = coreJob(4, { owner: 'dora', cpus: 2 });
    world.add(wide);
    wide.lanes[0].starvedSince = world.now - reserveAfterMs - 5;
    world.end(sessions[0]!, narrow, 1);
    world.pass();
    world.add(pair, urgent);
    for (const job of [pair, urgent]) job.lanes[0].starvedSince = world.now - reserveAfterMs;
    world.pass();
    expect(sessions.map(({ reservedFor }) => reservedFor)).toEqual([wide.lanes[0], urgent.lanes[0]]);
    world.end(sessions[1]!, narrow, 2);
    expect(world.pass()[0]).toMatchObject({ job: urgent });
  });
});

describe('an exclusive task', () => {
  it('waits for a session that has nothing else, and has all of it', () => {
    const world = new CoreSchedule();
    const session = coreSession(1, 4, 100, { gpus: 2, named: { disk: 3 } });
    world.connect(session);
    const [narrow, alone] = [coreJob(1, { size: 1 }), coreJob(2, { owner: 'bob', exclusive: true, memoryBytes: 10 })];
    world.add(narrow);
    world.pass();
    world.add(alone, coreJob(3, { owner: 'cleo', size: 9 }));
    world.jobs[2]!.held = true;
    expect(world.pass()).toEqual([]);
    world.end(session, narrow, 1);
    world.jobs[2]!.held = false;
    world.update(world.jobs[2]!);
    const [granted, ...more] = world.pass();
    expect([granted!.job, more]).toEqual([alone, []]);
    expect([session.room.cpus, session.room.memoryBytes, session.room.named]).toEqual([0, 0, { disk: 0 }]);
    expect([...session.room.gpus.used]).toEqual([10_000, 10_000]);
    alone.meanWallUs = 1_000;
    world.topUp.add(session);
    expect(world.pass()).toEqual([]);
    world.end(session, alone, 1);
    expect(world.pass().map(({ count }) => count)).toEqual([4]);
  });

  it('makes a session save up all it has', () => {
    const { world, sessions, narrow } = full(1, 4);
    const alone = coreJob(2, { owner: 'bob', exclusive: true });
    world.add(alone);
    let rounds = 0;
    for (; alone.slots === 0 && rounds < 100; rounds++) {
      world.now += 100;
      world.end(sessions[0]!, narrow, 1);
      world.pass();
    }
    expect(rounds * 100).toBeGreaterThan(reserveAfterMs);
    expect(rounds * 100).toBeLessThan(reserveAfterMs + 1_000);
  });
});

/** One step of what may happen: time passes, and tasks end somewhere. */
const steps = fc.array(
  fc.record({ ms: fc.integer({ min: 1, max: 900 }), ends: fc.array(fc.nat(), { maxLength: 4 }) }),
  {
    minLength: 5,
    maxLength: 60,
  },
);
const kinds = fc.constantFrom<Partial<Parameters<typeof coreJob>[1]>>(
  {},
  { cpus: 2 },
  { cpus: 4 },
  { exclusive: true },
  { gang: gang(nodes(2)) },
  { gang: gang({ tasks: 6 }) },
  { gang: gang({ ...nodes(3), tasksPerNode: 2 }) },
  { gang: gang({ nodes: { min: 2, max: 3 }, tasks: 5 }) },
  { gang: gang(nodes(2)), exclusive: true },
);

test('whatever is asked for: never over-committed, all or none, and nobody waits for ever', () => {
  const jobs = fc.array(
    fc.record({ kind: kinds, size: fc.integer({ min: 1, max: 5 }), owner: fc.constantFrom('a', 'b') }),
    {
      minLength: 1,
      maxLength: 7,
    },
  );
  const property = fc.property(jobs, steps, (asked, happens) => {
    const world = new CoreSchedule();
    world.connect(coreSession(1, 4), coreSession(2, 4), coreSession(3, 2));
    const all = asked.map(({ kind, size, owner }, at) => coreJob(at + 1, { ...kind, size, owner }));
    world.before = ({ session, lane, places }) => {
      expect(places === undefined).toBe(lane.shape === undefined);
      for (const place of places ?? []) {
        expect(place.session.room.cpus).toBeGreaterThan(place.needs.cpus - 1e-6);
        if (lane.shape!.exclusive) expect(place.session.isIdle).toBe(true);
      }
      if (places !== undefined) expect(places[0]!.session).toBe(session);
      if (places !== undefined) expect(places.length).toBeGreaterThanOrEqual(lane.shape!.nodes.min);
      expect(new Set(places?.map((place) => place.session)).size).toBe(places?.length ?? 0);
    };
    world.add(...all);
    const check = () => {
      for (const session of world.sessions) expectRoom(session);
    };
    world.pass();
    for (const { ms, ends } of happens) {
      world.now += ms;
      for (const which of ends) endOne(world, all, which);
      world.pass();
      check();
    }
    // From now on each task ends after a while: whatever fits on these machines gets its turn.
    for (let round = 0; all.some((job) => job.table.ended < job.size); round++) {
      if (round > 400) expect.fail(`waits for ever: ${all.map((job) => `${job.id}: ${job.table.counts}`).join('; ')}`);
      world.now += 700;
      endOne(world, all, round);
      world.pass();
      check();
    }
    expect(world.sessions.map(({ freeCpus, places }) => [freeCpus, places.size])).toEqual([
      [4, 0],
      [4, 0],
      [2, 0],
    ]);
  });
  fc.assert(property, { numRuns: 150 });
});

/** Ends the task of one grant. */
function endOne(world: CoreSchedule, jobs: readonly Job[], which: number): void {
  const open = jobs.flatMap((job) => [...job.grants].map((range) => ({ job, range })));
  const chosen = open[which % Math.max(1, open.length)];
  if (chosen === undefined) return;
  const session = world.sessions.find(({ id }) => id === chosen.range.sessionId)!;
  world.end(session, chosen.job, 1, TaskState.completed);
}

test('who waits for sessions that others have reserved comes before those that starve later, but not before a higher band', () => {
  const sessions = [coreSession(1, 2), coreSession(2, 2)];
  const reservations = new Reservations();
  const lane = (id: number, since: number, priority = 0, facts: Parameters<typeof coreJob>[1] = { cpus: 2 }) => {
    const job = coreJob(id, facts);
    job.priority = priority;
    job.lanes[0].starvedSince = since;
    return job.lanes[0];
  };
  const first = lane(1, 1);
  const pair = lane(2, 2, 0, { gang: gang(nodes(2)) });
  expect(reservations.reserve(sessions, first)).toHaveLength(1);
  expect(reservations.reserve(sessions, pair)).toEqual([]);
  expect(reservations.reserve(sessions, lane(3, 3))).toEqual([]);
  expect(reservations.reserve(sessions, lane(4, 1, -1))).toEqual([]);
  const urgent = lane(5, 9, 1);
  const [chosen] = reservations.reserve(sessions, urgent);
  expect(chosen!.reservedFor).toBe(urgent);
  for (const session of sessions) session.reserve(undefined);
  expect(reservations.reserve(sessions, pair)).toEqual(sessions);
  expect(reservations.reserve(sessions, pair)).toEqual([]);
  // It has what it needs: nobody is kept back for it, also when it runs.
  expect(reservations.reserve(sessions, lane(6, 9))).toEqual([]);
  for (const session of sessions) session.reserve(undefined);
  pair.starvedSince = 0;
  expect(reservations.reserve(sessions, lane(7, 9))).toHaveLength(1);
});
