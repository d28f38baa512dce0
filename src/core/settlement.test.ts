import { describe, expect, it } from 'vitest';
import { coreJob } from '../../test/support/core-jobs.ts';
import { CoreWorld } from '../../test/support/core-world.ts';
import { Canary } from './canary.ts';
import { parseDependency } from './dependency.ts';
import type { Job } from './job.ts';
import { TaskState } from './task-state.ts';

const MINUTE_MS = 60_000;

describe('a settlement', () => {
  it('carries an end down a chain of 5,000 jobs without recursion', () => {
    const world = new CoreWorld();
    world.submit(coreJob(1));
    for (let id = 2; id <= 5_000; id++) world.submit(coreJob(id, { dependency: parseDependency(`afterok:${id - 1}`) }));
    world.start(world.jobs[0]!, 0);
    world.end(world.jobs[0]!, 0, TaskState.failed);
    expect(world.ends).toEqual(Array.from({ length: 5_000 }, (_, at) => at + 1));
    expect(world.jobs.at(-1)!.table.state[0]).toBe(TaskState.skipped);
  });

  it('looks at a named index again only when the one it waits for has ended', () => {
    const world = new CoreWorld();
    const named = coreJob(1, { size: 1_000 });
    world.submit(named);
    world.submit(coreJob(2, { dependency: parseDependency('afterok:1_[0-999]') }));
    let looks = 0;
    const { positionsOf } = named.facts.indices;
    named.facts.indices.positionsOf = function* (other) {
      looks++;
      yield* positionsOf.call(this, other);
    };
    for (let position = 0; position < 1_000; position++) {
      world.start(named, position);
      world.end(named, position, TaskState.completed);
    }
    expect(looks).toBeLessThan(5);
    expect(world.jobs[1]!.table.counts[TaskState.ready]).toBe(1);
  });

  it('takes in what the world ends meanwhile', () => {
    const world = new CoreWorld();
    world.submit(coreJob(1));
    world.submit(coreJob(2));
    world.submit(coreJob(3, { dependency: parseDependency('afterany:2') }));
    world.finished = (job) => {
      CoreWorld.prototype.finished.call(world, job);
      if (job.id === 1) world.cancel(world.jobs[1]!, 0, 1);
    };
    world.cancel(world.jobs[0]!, 0, 1);
    expect(world.ends).toEqual([1, 2]);
    expect(world.jobs[2]!.table.state[0]).toBe(TaskState.ready);
  });

  it('lets after wait for its delay from the start of the last task, also over a restart', () => {
    const world = new CoreWorld();
    world.submit(coreJob(1, { size: 2 }));
    world.submit(coreJob(2, { dependency: parseDependency('after:1+1') }));
    const [first, follower] = world.jobs as [Job, Job];
    world.start(first, 0);
    world.end(first, 0, TaskState.ready);
    expect(world.alarms).toEqual([]);
    world.start(first, 1);
    expect(world.alarms).toEqual([{ due: world.now + MINUTE_MS, job: follower }]);
    world.pass(MINUTE_MS - 1);
    world.resume();
    expect([follower.conditions[0].termDue, follower.table.state[0]]).toEqual([[MINUTE_MS + 1], TaskState.blocked]);
    world.pass(1);
    expect(follower.table.state[0]).toBe(TaskState.ready);
  });

  it('decides nothing of a predecessor that is not there', () => {
    const world = new CoreWorld();
    const waiting = coreJob(2, { dependency: parseDependency('afterok:1,singleton') });
    world.jobs.push(waiting);
    world.sharers = () => [waiting];
    world.resume();
    expect(waiting.conditions[0].termStates).toEqual(['pending', 'satisfied']);
    expect(waiting.table.state[0]).toBe(TaskState.blocked);
  });

  it('tells once that every task that was to run first has ended', () => {
    const world = new CoreWorld();
    const job = coreJob(1, { size: 5 });
    job.canary = new Canary(Uint32Array.of(1, 3));
    world.submit(job);
    for (const position of [3, 0]) world.end(job, position, TaskState.completed);
    expect(world.canaries).toEqual([]);
    world.end(job, 1, TaskState.failed);
    world.end(job, 2, TaskState.completed);
    expect(world.canaries).toEqual([1]);
  });

  it('stays usable after a world that threw', () => {
    const world = new CoreWorld();
    world.submit(coreJob(1));
    world.submit(coreJob(2));
    world.finished = () => {
      throw new Error('a bug');
    };
    expect(() => world.cancel(world.jobs[0]!, 0, 1)).toThrow('a bug');
    world.finished = CoreWorld.prototype.finished;
    world.cancel(world.jobs[1]!, 0, 1);
    expect(world.ends).toEqual([2]);
  });
});
