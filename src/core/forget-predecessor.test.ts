import { expect, it } from 'vitest';
import { coreJob } from '../../test/support/core-jobs.ts';
import { CoreWorld } from '../../test/support/core-world.ts';
import { parseDependency } from './dependency.ts';
import { forgetPredecessor } from './forget-predecessor.ts';
import { TASK_STATES, TaskState } from './task-state.ts';
import { TaskReason } from './task-table.ts';

it.each([
  ['after:1', 'satisfied'],
  ['afterany:1', 'satisfied'],
  ['afterok:1', 'failed'],
  ['afternotok:1', 'failed'],
  ['aftercorr:1', 'failed'],
])('of %s nothing was decided: it is %s', (text, state) => {
  const job = coreJob(2, { dependency: parseDependency(text) });
  forgetPredecessor(job, 1);
  expect(job.conditions[0].termStates).toEqual([state]);
});

it('what was decided, other jobs and singleton stay as they are', () => {
  const job = coreJob(2, { dependency: parseDependency('afterok:1,afterok:3,singleton') });
  job.conditions[0].termStates[0] = 'satisfied';
  forgetPredecessor(job, 1);
  expect(job.conditions[0].termStates).toEqual(['satisfied', 'pending', 'pending']);
  forgetPredecessor(undefined, 1);
  forgetPredecessor(coreJob(4), 1);
});

it('a task of aftercorr without its partner goes by what was known of the whole', () => {
  for (const [known, state] of [
    ['satisfied', 'ready'],
    ['failed', 'skipped'],
  ] as const) {
    const world = new CoreWorld();
    world.submit(coreJob(1, { size: 2 }));
    const job = coreJob(2, { size: 2, dependency: parseDependency('aftercorr:1') });
    world.submit(job);
    job.conditions[0].predecessors[0] = undefined;
    job.conditions[0].termStates[0] = known;
    world.settlement.evaluate(job);
    world.settlement.run();
    expect([...job.table.state].map((each) => TASK_STATES[each])).toEqual([state, state]);
    expect(job.table.reasonOf(0)).toBe(known === 'failed' ? TaskReason.dependencyNeverSatisfied : TaskReason.none);
    expect(job.table.counts[TaskState.blocked]).toBe(0);
  }
});
