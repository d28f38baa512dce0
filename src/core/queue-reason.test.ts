import { describe, expect, test } from 'vitest';
import { coreJob, coreSession } from '../../test/support/core-jobs.ts';
import type { Job } from './job.ts';
import { type Line, queueReason } from './queue-reason.ts';
import { TaskState } from './task-state.ts';
import { stretchesOf } from './task-stretches.ts';
import { TaskFlag, TaskReason } from './task-table.ts';

const NOBODY: Line = { sessions: [], head: undefined };
const NOW = 5_000;

/** Of the first task. */
const reason = (job: Job, line = NOBODY) => queueReason(job, [...stretchesOf(job, 0, 1)][0]!, line, NOW);

describe('of a ready task', () => {
  test('says what workers there are, and who is before it', () => {
    const job = coreJob(1, { cpus: 2 });
    const [lane] = job.lanes;
    const wide = coreJob(2, { cpus: 4 }).lanes[0];
    expect(reason(job)).toBe('ReqNodeNotAvail');
    expect(reason(job, { sessions: [coreSession(1, 1)], head: lane })).toBe('PartitionNodeLimit');
    const session = coreSession(1, 4);
    expect(reason(job, { sessions: [session], head: lane })).toBe('None');
    session.reservedFor = wide;
    expect(reason(job, { sessions: [session], head: wide })).toBe('Priority');
    session.reservedFor = lane;
    expect(reason(job, { sessions: [session], head: wide })).toBe('None');
    session.room.take(lane.needs, 2);
    expect(reason(job, { sessions: [session], head: lane })).toBe('Resources');
    expect(reason(job, { sessions: [session], head: wide })).toBe('Priority');
  });

  test('says that its instance is not there', () => {
    expect(reason(coreJob(1, { bound: true }))).toBe('Resources');
  });

  test('says when it may start', () => {
    const job = coreJob(1, { size: 2 });
    job.shut = true;
    expect(reason(job)).toBe('DeadLine');
    job.beginAt = NOW + 1;
    expect(reason(job)).toBe('BeginTime');
    job.shut = false;
    job.table.setRetryTick(0, 1);
    job.table.setReason(0, 1, TaskReason.retryDelay);
    expect(reason(job)).toBe('BeginTime');
  });

  test('says that its array has its share', () => {
    const throttled = coreJob(1, { size: 2 });
    throttled.throttle = 1;
    throttled.table.move(1, TaskState.leased);
    expect(reason(throttled)).toBe('JobArrayTaskLimit');
    const gated = coreJob(1, { size: 2 });
    gated.table.setGate(Uint32Array.of(1));
    expect(reason(gated)).toBe('JobArrayTaskLimit');
  });
});

test('what is held says so before all else, and whether it ran before', () => {
  const job = coreJob(1, { size: 2 }, TaskState.blocked);
  job.held = true;
  expect(reason(job)).toBe('JobHeldUser');
  job.held = false;
  job.table.setFlag(0, TaskFlag.held, true);
  expect(reason(job)).toBe('JobHeldUser');
  job.table.attempts[0] = 1;
  expect(reason(job)).toBe('job_requeued_in_held_state');
});

test('what waits for others says whether that can come to an end', () => {
  const job = coreJob(1, {}, TaskState.blocked);
  expect(reason(job)).toBe('Dependency');
  job.table.setReason(0, 1, TaskReason.dependencyNeverSatisfied);
  expect(reason(job)).toBe('DependencyNeverSatisfied');
});

test('what a worker has needs no reason', () => {
  const job = coreJob(1);
  job.table.move(0, TaskState.leased);
  expect(reason(job)).toBe('None');
});

test('what ended without a start says what ended it', () => {
  const job = coreJob(1);
  job.table.move(0, TaskState.cancelled);
  expect(reason(job)).toBe('None');
  job.held = true;
  expect(reason(job)).toBe('JobHeldUser');
  job.table.setReason(0, 1, TaskReason.dependencyNeverSatisfied);
  expect(reason(job)).toBe('DependencyNeverSatisfied');
  job.table.setReason(0, 1, TaskReason.deadline);
  expect(reason(job)).toBe('DeadLine');
  job.table.move(0, TaskState.skipped);
  expect(reason(job)).toBe('DependencyNeverSatisfied');
});
