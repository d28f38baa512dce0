import { expect, it } from 'vitest';
import { coreJob } from '../../test/support/core-jobs.ts';
import { CoreWorld } from '../../test/support/core-world.ts';
import { ConditionOf } from './condition.ts';
import { parseDependency } from './dependency.ts';
import type { Job } from './job.ts';
import { changeCondition } from './recondition.ts';
import { TaskState } from './task-state.ts';

it('of nothing asks for nothing', () => {
  const condition = new ConditionOf<Job>(0, null);
  condition.queueAgain();
  const { text, hasPairs, mayWait, isSingleton, holdsName } = condition;
  expect({ text, hasPairs, mayWait, isSingleton, holdsName }).toEqual({
    text: '',
    hasPairs: false,
    mayWait: false,
    isSingleton: false,
    holdsName: false,
  });
});

it('holds its name from its turn until it queues again', () => {
  const condition = new ConditionOf<Job>(0, parseDependency('afterok:1,singleton'));
  condition.termStates[0] = 'satisfied';
  expect([condition.isSingleton, condition.holdsName, condition.mayWait]).toEqual([true, false, true]);
  condition.termStates[1] = 'satisfied';
  expect([condition.holdsName, condition.mayWait]).toEqual([true, false]);
  condition.queueAgain();
  expect(condition.termStates).toEqual(['satisfied', 'pending']);
});

it('that no task has decides nothing', () => {
  const world = new CoreWorld();
  world.submit(coreJob(1));
  world.submit(coreJob(2, { size: 2, dependency: parseDependency('afterok:1') }));
  const job = world.jobs[1]!;
  changeCondition(job, [], null);
  world.settlement.evaluate(job);
  expect([...job.table.state]).toEqual([TaskState.blocked, TaskState.blocked]);
});

it('arms again only its own tasks when a partner is retried', () => {
  const world = new CoreWorld();
  for (const id of [1, 2]) world.submit(coreJob(id, { size: 2 }));
  world.submit(coreJob(3, { size: 2, dependency: parseDependency('aftercorr:1') }));
  const [first, second, follower] = world.jobs as [Job, Job, Job];
  changeCondition(follower, [[1, 1]], parseDependency('afterok:2'));
  follower.conditions[1]!.predecessors[0] = second;
  second.waiters.push({ job: follower, condition: follower.conditions[1]!, term: 0, hint: -1 });
  for (const job of [first, second]) {
    for (const position of [0, 1]) world.start(job, position);
    for (const position of [0, 1]) world.end(job, position, TaskState.failed);
  }
  expect([...follower.table.state]).toEqual([TaskState.skipped, TaskState.skipped]);
  world.retry(first, [0, 1]);
  expect([...follower.table.state]).toEqual([TaskState.blocked, TaskState.skipped]);
});
