import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { coreJob, coreSession } from '../../test/support/core-jobs.ts';
import type { Gang } from './gang.ts';
import type { JobFacts } from './job.ts';
import { couldTake, isPlaced, needsOfPlace, type Place, placeNow, placeOnIdle } from './place.ts';
import type { WorkerSession } from './worker-session.ts';

const gang = (more: Partial<Gang>): Gang => ({ cpusPerTask: 1, memoryBytesPerTask: 0, gpusPerTask: 0, ...more });

function laneOf(facts: Partial<JobFacts>) {
  const [lane] = coreJob(1, facts).lanes;
  if (!isPlaced(lane)) throw new Error('has a share like any other');
  return lane;
}

const ranks = (places: readonly Place[] | undefined) => places?.map(({ session, tasks }) => [session.id, tasks]);
const place = (sessions: WorkerSession[], facts: Partial<JobFacts>) =>
  ranks(placeNow(sessions, laneOf(facts), () => true));

describe('on three idle machines with eight CPUs', () => {
  const machines = () => [coreSession(2, 8), coreSession(1, 8), coreSession(3, 8)];

  // As real Slurm 22.05 lays them out.
  test.each<[string, Partial<Gang>, unknown]>([
    [
      '-n10',
      { tasks: 10 },
      [
        [1, 8],
        [2, 2],
      ],
    ],
    [
      '-n10 -c2',
      { tasks: 10, cpusPerTask: 2 },
      [
        [1, 4],
        [2, 4],
        [3, 2],
      ],
    ],
    [
      '-N2-3 -n4',
      { tasks: 4, nodes: { min: 2, max: 3 } },
      [
        [1, 2],
        [2, 1],
        [3, 1],
      ],
    ],
    [
      '-N2',
      { nodes: { min: 2, max: 2 } },
      [
        [1, 1],
        [2, 1],
      ],
    ],
    [
      '-N2-3',
      { nodes: { min: 2, max: 3 } },
      [
        [1, 1],
        [2, 1],
        [3, 1],
      ],
    ],
    [
      '-N2-3 --ntasks-per-node=2',
      { nodes: { min: 2, max: 3 }, tasksPerNode: 2 },
      [
        [1, 2],
        [2, 2],
        [3, 2],
      ],
    ],
    [
      '-n3 --ntasks-per-node=2',
      { tasks: 3, tasksPerNode: 2 },
      [
        [1, 2],
        [2, 2],
      ],
    ],
    [
      '-N2 -n16',
      { tasks: 16, nodes: { min: 2, max: 2 } },
      [
        [1, 8],
        [2, 8],
      ],
    ],
    [
      '-N3 -n12',
      { tasks: 12, nodes: { min: 3, max: 3 } },
      [
        [1, 8],
        [2, 3],
        [3, 1],
      ],
    ],
    ['-N4', { nodes: { min: 4, max: 4 } }, undefined],
    ['-n25', { tasks: 25 }, undefined],
    ['-N2 -n9 -c3', { tasks: 9, cpusPerTask: 3, nodes: { min: 2, max: 2 } }, undefined],
    ['-N1 -c9', { cpusPerTask: 9, tasks: 1 }, undefined],
  ])('%s', (_, given, expected) => {
    expect(place(machines(), { gang: gang(given) })).toEqual(expected);
  });

  test.each<[string, Partial<JobFacts>, unknown]>([
    ['--exclusive', {}, [[1, 8]]],
    ['--exclusive -c3', { cpus: 3 }, [[1, 2]]],
    [
      '--exclusive -N2 -n3',
      { gang: gang({ tasks: 3, nodes: { min: 2, max: 2 } }) },
      [
        [1, 2],
        [2, 1],
      ],
    ],
    [
      '--exclusive -N2 -c2',
      { gang: gang({ cpusPerTask: 2, nodes: { min: 2, max: 2 } }) },
      [
        [1, 4],
        [2, 4],
      ],
    ],
    [
      '--exclusive -n17',
      { gang: gang({ tasks: 17 }) },
      [
        [1, 6],
        [2, 6],
        [3, 5],
      ],
    ],
  ])('%s', (_, facts, expected) => {
    const lane = laneOf({ ...facts, exclusive: true });
    const places = placeNow(machines(), lane, () => true)!;
    expect(ranks(places)).toEqual(expected);
    expect(places.map(({ needs }) => needs.cpus)).toEqual(places.map(() => 8));
  });
});

it('takes what is free, and of an exclusive task nothing that is in use', () => {
  const [busy, small, large] = [coreSession(1, 8), coreSession(2, 2), coreSession(3, 6)];
  const other = laneOf({ gang: gang({ tasks: 7 }) });
  busy.addPlace(9, needsOfPlace(busy, other, 7), 1);
  expect(place([busy, small, large], { gang: gang({ tasks: 9 }) })).toEqual([
    [1, 1],
    [2, 2],
    [3, 6],
  ]);
  expect(place([busy, small, large], { exclusive: true, cpus: 7 })).toBeUndefined();
  expect(place([busy, small, large], { exclusive: true, cpus: 6 })).toEqual([[3, 1]]);
  busy.removePlace(9);
  expect(place([busy, small, large], { exclusive: true, cpus: 7 })).toEqual([[1, 1]]);
  expect(ranks(placeNow([busy], laneOf({ exclusive: true }), () => false))).toBeUndefined();
});

it('takes no machine of an older release', () => {
  const facts = { gang: gang({ nodes: { min: 1, max: 2 } }), minApi: 2 };
  const sessions = [coreSession(1, 8, 100, {}, 1), coreSession(2, 8, 100)];
  expect(place(sessions, facts)).toEqual([[2, 1]]);
  expect(ranks(placeOnIdle(sessions, laneOf(facts)))).toEqual([[2, 1]]);
});

it('counts memory, devices, named amounts and slots of each node and of each rank', () => {
  const of = (more: Parameters<typeof coreSession>[3], memory = 100) => coreSession(1, 64, memory, more);
  const most = (session: WorkerSession, facts: Partial<JobFacts>, given: Partial<Gang> = {}) => {
    const { shape } = laneOf({ ...facts, gang: gang(given) });
    return session.room.fitsRanks(shape.node, shape.rank);
  };
  expect(most(of({}), { memoryBytes: 40 }, { memoryBytesPerTask: 20 })).toBe(3);
  expect(most(of({}), { memoryBytes: 101 })).toBe(0);
  expect(most(of({}, 30), { memoryBytes: 40 }, { memoryBytesPerTask: 20 })).toBe(0);
  expect(most(of({ gpus: 4 }), { gpus: 1 }, { gpusPerTask: 1 })).toBe(3);
  expect(most(of({ gpus: 4 }), { gpus: 4 })).toBe(64);
  expect(most(of({ gpus: 4 }), { gpus: 5 })).toBe(0);
  expect(most(of({}), {}, { gpusPerTask: 1 })).toBe(0);
  expect(most(of({ named: { disk: 1 } }), { resources: { disk: 1 } })).toBe(64);
  expect(most(of({ named: { disk: 1 } }), { resources: { disk: 2 } })).toBe(0);
  expect(most(of({}), { resources: { disk: 1 } })).toBe(0);
  const full = of({ slots: 1 });
  full.addPlace(1, needsOfPlace(full, laneOf({ gang: gang({ tasks: 1 }) }), 1), 1);
  expect(most(full, {})).toBe(0);
});

it('orders nodes by their names, numbers in them counted', () => {
  const named = (id: number, name: string) => {
    const session = coreSession(id, 4);
    Object.assign(session, { worker: name, nameParts: name.split(/(\d+)/) });
    return session;
  };
  const sessions = ['n10', 'n9', 'm2-b', 'm2', 'n9', 'm02', 'm2-a'].map((name, at) => named(at + 1, name));
  const places = placeNow(sessions, laneOf({ gang: gang({ nodes: { min: 7, max: 7 } }) }), () => true)!;
  expect(places.map(({ session }) => session.worker)).toEqual(['m02', 'm2', 'm2-a', 'm2-b', 'n9', 'n9', 'n10']);
  expect(places[4]!.session.id).toBe(2);
});

it('would rather have the machines that are nearest to being free', () => {
  const [busy, free, half] = [coreSession(1, 4), coreSession(2, 4), coreSession(3, 4)];
  busy.room.take({ cpus: 4, memoryBytes: 0, gpuShares: 0, named: new Map() }, 1);
  half.room.take({ cpus: 1, memoryBytes: 0, gpuShares: 0, named: new Map() }, 1);
  expect(
    ranks(placeOnIdle([busy, free, half], laneOf({ gang: gang({ nodes: { min: 2, max: 3 }, tasksPerNode: 4 }) }))),
  ).toEqual([
    [2, 4],
    [3, 4],
  ]);
  expect(ranks(placeOnIdle([busy, free, half], laneOf({ gang: gang({ tasks: 9 }) })))).toHaveLength(3);
});

/** What any set of machines could take, found by trying all of them. */
function fitsAnyhow(free: readonly number[], given: Gang): boolean {
  const { nodes, tasks, tasksPerNode = 1, cpusPerTask } = given;
  const most = free.map((cpus) => Math.floor(cpus / cpusPerTask));
  for (let set = 1; set < 2 ** free.length; set++) {
    const chosen = most.filter((_, at) => (set >> at) % 2 === 1);
    if (nodes !== undefined && (chosen.length < nodes.min || chosen.length > nodes.max)) continue;
    if (chosen.some((each) => each < 1)) continue;
    const sum = chosen.reduce((all, each) => all + each, 0);
    if (tasks !== undefined ? sum >= tasks && chosen.length <= tasks : chosen.every((each) => each >= tasksPerNode))
      return true;
  }
  return false;
}

/** The same for workers of API 2. */
const newer = (lane: ReturnType<typeof laneOf>) => Object.assign(lane, { minApi: 2 });

test('places whatever fits anyhow, all of it, never more than is free', () => {
  const count = fc.integer({ min: 1, max: 6 });
  const shapes = fc.record({
    cpusPerTask: fc.constantFrom(1, 2, 3),
    ranks: fc.oneof(
      count.map((tasks) => ({ tasks })),
      count.map((tasksPerNode) => ({ tasksPerNode })),
      fc.constant({}),
    ),
    nodes: fc.option(fc.tuple(count, count), { nil: undefined }),
  });
  const property = fc.property(
    fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 5 }),
    shapes,
    (free, { ranks: asked, nodes, cpusPerTask }) => {
      const tasks = (asked as { tasks?: number }).tasks;
      const min = Math.min(...(nodes ?? [1, 1]), tasks ?? 6);
      const range = nodes && { min, max: Math.max(...nodes, min) };
      // Without ranks or nodes it is one of either.
      const given = gang({
        ...asked,
        cpusPerTask,
        nodes: range ?? (tasks === undefined ? { min: 1, max: 1 } : undefined),
      });
      const sessions = free.map((cpus, at) => {
        const session = coreSession(at + 1, 9);
        session.room.take({ cpus: 9 - cpus, memoryBytes: 0, gpuShares: 0, named: new Map() }, 0);
        session.room.cpus = cpus;
        return session;
      });
      const lane = laneOf({ gang: given });
      const places = placeNow(sessions, lane, () => true);
      expect(places !== undefined).toBe(fitsAnyhow(free, given));
      const idle = free.map((cpus, at) => coreSession(at + 1, cpus));
      expect(couldTake(idle, lane)).toBe(places !== undefined);
      expect(couldTake([coreSession(9, 99, 2 ** 30, {}, 1), ...idle], newer(lane))).toBe(places !== undefined);
      if (places === undefined) return;
      expect(new Set(places.map(({ session }) => session)).size).toBe(places.length);
      for (const each of places) {
        expect(each.tasks).toBeGreaterThan(0);
        expect(each.needs.cpus).toBe(each.tasks * cpusPerTask);
        expect(each.needs.cpus).toBeLessThanOrEqual(each.session.room.cpus);
      }
      if (tasks !== undefined) expect(places.reduce((sum, each) => sum + each.tasks, 0)).toBe(tasks);
      if (range !== undefined) expect(places.length).toBeGreaterThanOrEqual(range.min);
      if (range !== undefined) expect(places.length).toBeLessThanOrEqual(range.max);
    },
  );
  fc.assert(property, { numRuns: 2_000 });
});

it('has an end of ranks also where each needs next to nothing', () => {
  const facts = (cpus: number): Partial<JobFacts>[] => [
    { exclusive: true, cpus },
    { exclusive: true, gang: gang({ cpusPerTask: cpus, nodes: { min: 1, max: 1 } }) },
  ];
  for (const each of facts(1e-320)) expect(place([coreSession(1, 2)], each)).toEqual([[1, 1_000_000]]);
});
