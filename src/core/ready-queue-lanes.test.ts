import { describe, expect, it } from 'vitest';
import { coreJob } from '../../test/support/core-jobs.ts';
import type { Job } from './job.ts';
import { ReadyQueue } from './ready-queue.ts';
import { TaskState } from './task-state.ts';

const TERMS = { cpus: 1, memoryBytes: 0, gpus: 0, resources: {}, timeLimitMs: 0, priority: 0 };

/** A job of 40 tasks, half of them in a second lane. */
function twoLanes(id: number, owner = 'ada'): Job {
  const job = coreJob(id, { owner, size: 40 });
  job.addLane(TERMS);
  job.table.setLane(20, 20, 1);
  return job;
}

function queueOf(...jobs: Job[]): ReadyQueue {
  const queue = new ReadyQueue();
  for (const job of jobs) queue.update(job);
  return queue;
}

function slots(queue: ReadyQueue, count: number): string[] {
  return Array.from({ length: count }, () => {
    const lane = queue.peek()!;
    queue.addSlots(lane, 1);
    return `${lane.job.id}/${lane.number}`;
  });
}

describe('lanes in a ReadyQueue', () => {
  it('share the turns of their job, one after the other', () => {
    const queue = queueOf(twoLanes(1), coreJob(2, { size: 40 }));
    expect(slots(queue, 8)).toEqual(['1/0', '2/0', '1/1', '2/0', '1/0', '2/0', '1/1', '2/0']);
  });

  it('keep their order in the queue while slots come and go', () => {
    const [first, second] = [twoLanes(1), twoLanes(2)];
    const queue = queueOf(first, second);
    slots(queue, 9);
    expect([first.slots, second.slots, first.lanes.map((lane) => lane.slots)]).toEqual([5, 4, [3, 2]]);
    queue.addSlots(first.lanes[0], -3);
    expect(slots(queue, 2).every((each) => each.startsWith('1/'))).toBe(true);
    expect(slots(queue, 4).toSorted()).toEqual(['1/0', '1/1', '2/0', '2/1']);
  });

  it('may be of several bands', () => {
    const job = twoLanes(1);
    const queue = queueOf(job, coreJob(2, { owner: 'bob' }));
    queue.setPriority(job.lanes[1]!, 5);
    expect(slots(queue, 2)).toEqual(['1/1', '1/1']);
    expect(queue.isEntitled(job.lanes[1]!, job.lanes[0])).toBe(true);
    expect(queue.hasRival(job.lanes[1]!)).toBe(false);
    job.table.moveRun(20, 20, TaskState.ready, TaskState.leased);
    queue.update(job);
    expect(slots(queue, 2)).toEqual(['1/0', '2/0']);
  });

  it('are entitled to the next slot of the other one when they have fewer', () => {
    const job = twoLanes(1);
    const queue = queueOf(job);
    expect(queue.isEntitled(job.lanes[1]!, job.lanes[0])).toBe(false);
    queue.addSlots(job.lanes[0], 2);
    expect([queue.isEntitled(job.lanes[1]!, job.lanes[0]), queue.isEntitled(job.lanes[0], job.lanes[1]!)]).toEqual([
      true,
      false,
    ]);
  });

  it('leave together when the throttle of the job is reached', () => {
    const job = twoLanes(1);
    job.throttle = 1;
    const queue = queueOf(job);
    job.table.move(0, TaskState.leased);
    queue.update(job);
    expect(queue.peek()).toBeUndefined();
  });
});

it('next is always a lane of the job with the fewest slots, whatever comes and goes', () => {
  const jobs = Array.from({ length: 9 }, (_, at) => (at % 2 === 0 ? twoLanes(at + 1) : coreJob(at + 1, { size: 40 })));
  const queue = queueOf(...jobs);
  const lanes = jobs.flatMap((job) => job.lanes);
  for (let step = 0; step < 2_000; step++) {
    // As if by chance, and the same in every run.
    const lane = lanes[(step * 7_919 + (step >> 3) * 31) % lanes.length]!;
    queue.addSlots(lane, lane.slots > 0 && step % 3 !== 0 ? -1 : 1);
    expect(queue.peek()!.job.slots).toBe(Math.min(...jobs.map((job) => job.slots)));
  }
});

describe('a lane that no machine is large enough for', () => {
  it('is parked: out of the way until a machine comes', () => {
    const [wide, other] = [coreJob(1), coreJob(2, { owner: 'bob' })];
    const queue = queueOf(wide, other);
    wide.lanes[0].starvedSince = 7;
    queue.park(wide.lanes[0]);
    queue.update(wide);
    expect([queue.peek()?.job, wide.lanes[0].parked, wide.lanes[0].starvedSince]).toEqual([other, true, 0]);
    queue.unparkAll();
    expect([wide.lanes[0].parked, wide.lanes[0].heapAt >= 0]).toEqual([false, true]);
    expect(queue.hasRival(other.lanes[0])).toBe(true);
  });

  it('is parked no more when it wants nothing, and comes back as any other', () => {
    const wide = coreJob(1);
    const queue = queueOf(wide);
    queue.park(wide.lanes[0]);
    wide.held = true;
    queue.update(wide);
    expect(wide.lanes[0].parked).toBe(false);
    wide.held = false;
    queue.update(wide);
    expect(queue.peek()).toBe(wide.lanes[0]);
  });

  it('is looked at again in another band', () => {
    const wide = coreJob(1);
    const queue = queueOf(wide);
    queue.park(wide.lanes[0]);
    queue.setPriority(wide.lanes[0], 3);
    expect([queue.peek(), wide.lanes[0].parked]).toEqual([wide.lanes[0], false]);
  });
});
