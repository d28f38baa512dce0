import { describe, expect, it } from 'vitest';
import { coreJob } from '../../test/support/core-jobs.ts';
import { CoreWorld } from '../../test/support/core-world.ts';
import { parseDependency } from './dependency.ts';
import { IndexSet } from './index-set.ts';
import type { Job, JobFacts } from './job.ts';
import { type RearmWorld, rearmFollowers } from './rearm.ts';
import { TASK_STATES, TaskState } from './task-state.ts';
import { TaskReason } from './task-table.ts';

/** Job 1 has the indices 0 to 4, the others as said; each named dependency is that of job 2, 3, …. */
function worldOf(...followers: (Partial<JobFacts> & { array?: string; after: string })[]): CoreWorld {
  const world = new CoreWorld();
  world.submit(coreJob(1, { size: 5 }));
  for (const [at, { array = '0-4', after, ...more }] of followers.entries()) {
    world.submit(coreJob(at + 2, { indices: IndexSet.fromString(array), dependency: parseDependency(after), ...more }));
  }
  return world;
}

function statesOf(world: CoreWorld, id: number): string {
  const job = jobOf(world, id);
  return [...job.table.state].map((state) => TASK_STATES[state]).join(' ');
}

function jobOf(world: CoreWorld, id: number): Job {
  return world.jobs[id - 1]!;
}

function finish(world: CoreWorld, id: number, ...to: ('completed' | 'failed')[]): void {
  for (const [position, state] of to.entries()) {
    world.start(jobOf(world, id), position);
    world.end(jobOf(world, id), position, TaskState[state]);
  }
}

const FIVE_OK = ['completed', 'completed', 'completed', 'completed', 'completed'] as const;
const FIRST_FAILED = ['failed', 'completed', 'completed', 'completed', 'completed'] as const;

describe('re-arming', () => {
  it('lets skipped tasks wait again, down the chain, with no reason left, and run when all is well', () => {
    const world = worldOf({ array: '0', after: 'afterok:1' }, { array: '0', after: 'afterok:2' });
    finish(world, 1, ...FIRST_FAILED);
    expect([statesOf(world, 2), statesOf(world, 3)]).toEqual(['skipped', 'skipped']);
    expect(jobOf(world, 3).table.reasonOf(0)).toBe(TaskReason.dependencyNeverSatisfied);
    world.retry(jobOf(world, 1), [0]);
    expect([statesOf(world, 2), statesOf(world, 3)]).toEqual(['blocked', 'blocked']);
    expect(jobOf(world, 3).table.reasonOf(0)).toBe(TaskReason.none);
    finish(world, 1, 'completed');
    finish(world, 2, 'completed');
    expect(statesOf(world, 3)).toBe('ready');
  });

  it('leaves what ran, and a satisfied dependency, as they are', () => {
    const world = worldOf({ after: 'afterok:1' });
    finish(world, 1, ...FIVE_OK);
    finish(world, 2, 'completed');
    world.retry(jobOf(world, 1), [0]);
    expect(statesOf(world, 2)).toBe('completed ready ready ready ready');
    expect(jobOf(world, 2).conditions[0].termStates).toEqual(['satisfied']);
  });

  it('does not re-arm under the policy of the Slurm dialect, neither the array nor a pair', () => {
    const wait = { invalidDependency: 'wait' } as const;
    const world = worldOf({ after: 'afterok:1', ...wait }, { after: 'aftercorr:1', ...wait });
    finish(world, 1, ...FIRST_FAILED);
    world.retry(jobOf(world, 1), [0]);
    finish(world, 1, 'completed');
    expect(statesOf(world, 2)).toBe('blocked blocked blocked blocked blocked');
    expect(statesOf(world, 3)).toBe('blocked ready ready ready ready');
    expect(jobOf(world, 3).table.reasonOf(0)).toBe(TaskReason.dependencyNeverSatisfied);
  });

  it('of aftercorr: the same index, and those without a partner', () => {
    const world = worldOf({ array: '0,1,8,9', after: 'aftercorr:1' });
    finish(world, 1, ...FIRST_FAILED);
    expect(statesOf(world, 2)).toBe('skipped ready skipped skipped');
    world.retry(jobOf(world, 1), [1]);
    expect(statesOf(world, 2)).toBe('skipped ready blocked blocked');
    world.retry(jobOf(world, 1), [0]);
    expect(statesOf(world, 2)).toBe('blocked ready blocked blocked');
  });

  it('of aftercorr with named indices: an index that is not named waits for those that are', () => {
    const world = worldOf({ array: '0-2', after: 'aftercorr:1_[0,1]' });
    finish(world, 1, ...FIRST_FAILED);
    expect(statesOf(world, 2)).toBe('skipped ready skipped');
    world.start(jobOf(world, 2), 1);
    world.end(jobOf(world, 2), 1, TaskState.completed);
    const ends = [...world.ends];
    world.retry(jobOf(world, 1), [2]);
    expect(statesOf(world, 2)).toBe('skipped completed skipped');
    expect(world.ends).toEqual(ends);
    world.retry(jobOf(world, 1), [0]);
    expect(statesOf(world, 2)).toBe('blocked completed blocked');
    finish(world, 1, 'completed');
    expect(statesOf(world, 2)).toBe('ready completed ready');
  });

  it('not by the retry of a task that the dependency does not name', () => {
    const world = worldOf({ array: '0', after: 'afterok:1_0' });
    finish(world, 1, ...FIRST_FAILED);
    const ends = [...world.ends];
    world.retry(jobOf(world, 1), [3]);
    expect(statesOf(world, 2)).toBe('skipped');
    expect(world.ends).toEqual(ends);
  });

  it('decides what was decided while nothing waited: no task waits for ever', () => {
    const world = worldOf({ array: '0-4', after: 'after:1' }, { array: '0', after: 'afterok:1,afterok:2' });
    for (let position = 0; position < 5; position++) world.start(jobOf(world, 1), position);
    for (let position = 0; position < 5; position++) {
      world.end(jobOf(world, 1), position, position === 0 ? TaskState.failed : TaskState.completed);
    }
    expect(statesOf(world, 3)).toBe('skipped');
    finish(world, 2, ...FIVE_OK);
    world.retry(jobOf(world, 1), [0]);
    finish(world, 1, 'completed');
    expect(statesOf(world, 3)).toBe('ready');
  });

  it('waits until no other term has failed for good, and remembers what was retried meanwhile', () => {
    const world = worldOf({ array: '0-4', after: 'afterany:1' }, { array: '0', after: 'afterok:1,afterok:2' });
    finish(world, 1, ...FIRST_FAILED);
    finish(world, 2, ...FIRST_FAILED);
    const last = jobOf(world, 3);
    // Both have failed; the second was never decided, because nothing waited any more.
    last.conditions[0].termStates[1] = 'failed';
    const changed: Job[] = [];
    const told: RearmWorld = { changed: (job) => changed.push(job), revived: (job) => world.revived(job) };
    expect(rearmFollowers(jobOf(world, 1), [[0, 1]], told).size).toBe(0);
    expect(statesOf(world, 3)).toBe('skipped');
    expect(last.conditions[0].termStates).toEqual(['pending', 'failed']);
    expect(changed).toEqual([last]);
    expect([...rearmFollowers(jobOf(world, 2), [[0, 1]], told)]).toEqual([last]);
    expect(statesOf(world, 3)).toBe('blocked');
  });

  it('lets a singleton that had ended queue behind whoever holds its name now', () => {
    const world = worldOf(
      { array: '0', after: 'singleton,afterok:1', name: 'x' },
      { array: '0', after: 'singleton', name: 'x' },
    );
    finish(world, 1, ...FIRST_FAILED);
    expect([statesOf(world, 2), statesOf(world, 3)]).toEqual(['skipped', 'ready']);
    world.retry(jobOf(world, 1), [0]);
    finish(world, 1, 'completed');
    expect(statesOf(world, 2)).toBe('blocked');
    finish(world, 3, 'completed');
    expect(statesOf(world, 2)).toBe('ready');
  });
});
