import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coreJob } from '../../test/support/core-jobs.ts';
import { CoreWorld } from '../../test/support/core-world.ts';
import { combine, type Dependency, decideTask, decideWhole, parseDependency, type TermState } from './dependency.ts';
import type { Job } from './job.ts';
import { changeCondition, findCycle } from './recondition.ts';
import { TASK_STATES, TaskState } from './task-state.ts';
import { TaskReason } from './task-table.ts';

const SIZE = 4;
const TEXTS = [
  '',
  'afterok:1',
  'afterany:2',
  'aftercorr:1',
  'afterok:1_2',
  'afterok:1,afterany:2',
  'afterok:1?afterok:2',
];

/** As the coordinator does it. */
function change(world: CoreWorld, job: Job, positions: readonly number[] | null, text: string): number {
  const dependency = text === '' ? null : parseDependency(text);
  const runs = positions?.map((position) => [position, 1] as const) ?? null;
  const { changed } = changeCondition(job, runs, dependency);
  for (const condition of job.conditions) {
    for (const [term, named] of (condition.dependency?.terms ?? []).entries()) {
      if (named.type === 'singleton' || condition.predecessors[term] !== undefined) continue;
      const predecessor = world.jobs.find(({ id }) => id === named.jobId)!;
      condition.predecessors[term] = predecessor;
      predecessor.waiters.push({ job, condition, term, hint: -1 });
    }
  }
  world.settlement.evaluate(job);
  world.settlement.run();
  return changed.reduce((sum, [, count]) => sum + count, 0);
}

/** What the rules say of one task of the follower, from nothing but what its predecessors are now. */
function decide(jobs: readonly Job[], { mode, terms }: Dependency, index: number): TermState {
  return combine(
    mode,
    terms.map((term) => {
      if (term.type === 'singleton') throw new Error('not used here');
      const { table } = jobs.find(({ id }) => id === term.jobId)!;
      if (term.type === 'aftercorr') return decideTask('aftercorr', table.state[index] as TaskState);
      const named = [...table.state].filter((_, at) => term.indices?.has(at) ?? true);
      const completed = named.filter((state) => state === TaskState.completed).length;
      const ended = named.filter((state) => state >= TaskState.completed).length;
      return decideWhole(term.type, {
        total: named.length,
        ended,
        completed,
        needed: named.length,
        startedOrEnded: ended,
      });
    }),
  );
}

const EXPECTED = { pending: 'blocked', satisfied: 'ready', failed: 'skipped' } as const;

describe('another dependency', () => {
  it('is what each task that has not started waits for, whatever it waited for before', () => {
    const text = fc.constantFrom(...TEXTS);
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('change' as const),
        text,
        positions: fc.option(fc.uniqueArray(fc.nat(SIZE - 1), { minLength: 1 })),
      }),
      fc.record({ kind: fc.constant('end' as const), job: fc.nat(1), task: fc.nat(SIZE - 1), ok: fc.boolean() }),
      fc.record({ kind: fc.constant('start' as const), task: fc.nat(SIZE - 1) }),
    );
    fc.assert(
      fc.property(text, fc.array(step, { maxLength: 14 }), (first, steps) => {
        const world = new CoreWorld();
        for (const id of [1, 2]) world.submit(coreJob(id, { size: SIZE }));
        // Keeps the job from ending, which would refuse the change.
        const follower = coreJob(3, {
          size: SIZE + 1,
          ...(first === '' ? {} : { dependency: parseDependency(first) }),
        });
        world.submit(follower);
        const texts = new Array<string>(SIZE).fill(first);
        const started = new Set<number>();
        for (const each of steps) {
          if (each.kind === 'change') {
            if (follower.endedAt !== 0) return;
            change(world, follower, each.positions, each.text);
            for (const position of each.positions ?? texts.keys()) texts[position] = each.text;
          } else if (each.kind === 'end') {
            const job = world.jobs[each.job]!;
            if (job.table.state[each.task] !== TaskState.ready) continue;
            world.start(job, each.task);
            world.end(job, each.task, each.ok ? TaskState.completed : TaskState.failed);
          } else if (follower.table.state[each.task] === TaskState.ready) {
            world.start(follower, each.task);
            started.add(each.task);
          }
          const states = [...follower.table.state].slice(0, SIZE).map((state) => TASK_STATES[state]);
          const expected = texts.map((now, at) => {
            if (started.has(at)) return 'running';
            return now === '' ? 'ready' : EXPECTED[decide(world.jobs, parseDependency(now), at)];
          });
          expect(states).toEqual(expected);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('is one for all tasks that are given the same', () => {
    const world = new CoreWorld();
    world.submit(coreJob(1, { size: 2 }));
    world.submit(coreJob(2, { size: 300, dependency: parseDependency('afterok:1') }));
    const job = world.jobs[1]!;
    expect(change(world, job, [5, 6], 'afterany:1')).toBe(2);
    expect(change(world, job, [7], 'afterany:1')).toBe(1);
    expect(change(world, job, [6], 'afterok:1')).toBe(1);
    expect(job.conditions.map(({ text }) => text)).toEqual(['afterok:1', 'afterany:1']);
    expect([5, 6, 7].map((position) => job.conditionOf(position).number)).toEqual([1, 0, 1]);
    change(world, job, null, 'afternotok:1');
    expect(job.conditions.map(({ text }) => text)).toEqual(['afternotok:1']);
    expect(job.table.conditions).toBeUndefined();
  });

  it('is refused when there are too many different ones', () => {
    const world = new CoreWorld();
    world.submit(coreJob(1, { size: 300 }));
    world.submit(coreJob(2, { size: 300, dependency: parseDependency('afterok:1') }));
    const job = world.jobs[1]!;
    for (let at = 0; at < 255; at++) change(world, job, [at], `afterok:1_${at}`);
    expect(() => change(world, job, [255], 'afterok:1_255')).toThrow(
      'job 2: expected at most 255 dependencies besides its own, found one more',
    );
    expect(job.conditionOf(255).number).toBe(0);
  });

  it('gives what could never be satisfied another chance, also where that waits', () => {
    const world = new CoreWorld();
    world.submit(coreJob(1, { size: 1 }));
    world.submit(coreJob(2, { size: 2, dependency: parseDependency('afterok:1'), invalidDependency: 'wait' }));
    const [first, job] = world.jobs as [Job, Job];
    world.start(first, 0);
    world.end(first, 0, TaskState.failed);
    expect(job.table.reasonOf(1)).toBe(TaskReason.dependencyNeverSatisfied);
    expect(change(world, job, [1], 'afterany:1')).toBe(1);
    expect([...job.table.state]).toEqual([TaskState.blocked, TaskState.ready]);
    expect(job.table.reasonOf(1)).toBe(TaskReason.none);
  });

  it('leaves alone what was tried and waits to be tried again', () => {
    const world = new CoreWorld();
    world.submit(coreJob(1, { size: 1 }));
    world.submit(coreJob(2, { size: 2 }));
    const job = world.jobs[1]!;
    world.start(job, 0);
    job.startedAt = 1;
    world.end(job, 0, TaskState.ready);
    expect(change(world, job, null, 'singleton,afterok:1')).toBe(1);
    expect([...job.table.state]).toEqual([TaskState.ready, TaskState.blocked]);
    change(world, job, null, 'afterok:1');
    expect(world.jobs[0]!.waiters.map(({ condition }) => condition.text)).toEqual(['afterok:1']);
  });
});

describe('a cycle', () => {
  it('is found over several jobs, and only where there is one', () => {
    const world = new CoreWorld();
    world.submit(coreJob(1));
    world.submit(coreJob(2, { dependency: parseDependency('afterok:1,singleton') }));
    world.submit(coreJob(3, { dependency: parseDependency('afterok:2,afterany:1') }));
    world.submit(coreJob(4));
    const lookup = (id: number) => world.jobs.find((job) => job.id === id);
    const [first, second] = world.jobs as [Job, Job];
    expect(findCycle(first, parseDependency('afterok:3'), lookup)).toEqual([1, 3, 1]);
    expect(findCycle(first, parseDependency('afterok:1_0'), lookup)).toEqual([1, 1]);
    expect(findCycle(second, parseDependency('afterok:1,singleton'), lookup)).toBeUndefined();
    expect(findCycle(world.jobs[3]!, parseDependency('afterok:3,afterok:2'), lookup)).toBeUndefined();
    expect(findCycle(second, parseDependency('afterok:9,afterok:4'), lookup)).toBeUndefined();
  });
});
