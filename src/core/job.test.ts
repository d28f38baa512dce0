import { describe, expect, it } from 'vitest';
import { coreJob } from '../../test/support/core-jobs.ts';
import { CoreWorld } from '../../test/support/core-world.ts';
import { parseDependency } from './dependency.ts';
import { TaskState } from './task-state.ts';
import { TaskReason } from './task-table.ts';

describe('Job', () => {
  it('wants as many tasks as may run and the throttle leaves room for', () => {
    const job = coreJob(1, { size: 10 });
    expect([job.room, job.wanted]).toEqual([Number.POSITIVE_INFINITY, 10]);
    job.throttle = 4;
    expect(job.wanted).toBe(4);
    job.table.moveRun(0, 2, TaskState.ready, TaskState.leased);
    job.table.move(0, TaskState.running);
    expect([job.room, job.wanted]).toEqual([2, 2]);
    job.throttle = 1;
    expect([job.room, job.wanted]).toEqual([0, 0]);
    job.throttle = 0;
    job.table.setRetryTick(9, 5);
    expect(job.wanted).toBe(7);
    job.held = true;
    expect([job.wanted, job.state]).toEqual([0, 'running']);
  });

  it('wants nothing before it begins and after its deadline', () => {
    const job = coreJob(1, { size: 3 });
    expect(job.wanted).toBe(3);
    job.shut = true;
    expect([job.wanted, job.state]).toEqual([0, 'ready']);
  });

  it('is finished when all its tasks have ended', () => {
    const job = coreJob(7, { size: 2 });
    expect([job.id, job.size, job.state, job.finished]).toEqual([7, 2, 'ready', false]);
    job.held = true;
    expect(job.state).toBe('held');
    job.table.moveAll(TaskState.ready, TaskState.completed, TaskReason.none, () => {});
    expect([job.state, job.finished]).toEqual(['completed', true]);
  });

  it('is awaited while a task of a follower is blocked', () => {
    const world = new CoreWorld();
    const [first, second] = [coreJob(1), coreJob(2, { dependency: parseDependency('afterok:1') })];
    world.submit(first);
    expect(first.awaited).toBe(false);
    world.submit(second);
    expect(first.awaited).toBe(true);
    expect(second.conditions[0].termStates).toEqual(['pending']);
    world.cancel(first, 0, 1);
    expect(first.awaited).toBe(false);
  });
});
