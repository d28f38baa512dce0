import { describe, expect, it } from 'vitest';
import { coreJob } from '../../test/support/core-jobs.ts';
import type { Job } from './job.ts';
import { ReadyQueue } from './ready-queue.ts';
import { TaskState } from './task-state.ts';

function queueOf(...jobs: Job[]): ReadyQueue {
  const queue = new ReadyQueue();
  for (const job of jobs) queue.update(job);
  return queue;
}

/** One slot after the other to whoever is next, each given back at once. */
function turns(queue: ReadyQueue, count: number): number[] {
  return Array.from({ length: count }, () => {
    const lane = queue.peek()!;
    queue.addSlots(lane, 1);
    queue.addSlots(lane, -1);
    return lane.job.id;
  });
}

/** One slot after the other to whoever is next; nobody gives one back. */
function slots(queue: ReadyQueue, count: number): number[] {
  return Array.from({ length: count }, () => {
    const lane = queue.peek()!;
    queue.addSlots(lane, 1);
    return lane.job.id;
  });
}

const of = (id: number, owner: string, priority = 0): Job => {
  const job = coreJob(id, { owner, size: 100 });
  job.priority = priority;
  return job;
};

describe('ReadyQueue', () => {
  it('never has what runs on instances of its own, nor counts it against its owner', () => {
    const [bound, pool, other] = [coreJob(1, { size: 9, bound: true }), of(2, 'ada'), of(3, 'bob')];
    const queue = queueOf(bound, pool, other);
    queue.addSlots(bound.lanes[0], 5);
    expect([bound.slots, bound.lanes[0].heapAt]).toEqual([0, -1]);
    expect(slots(queue, 4).filter((id) => id === 2)).toHaveLength(2);
  });

  it('serves bands strictly, highest first, whatever the order of arrival', () => {
    const [low, high, middle, same] = [of(1, 'ada', -3), of(2, 'bob', 7), of(3, 'ada', 1), of(4, 'cleo', 7)];
    const queue = queueOf(low, high, middle, same);
    expect(slots(queue, 4)).toEqual([2, 4, 2, 4]);
    for (const job of [high, same]) {
      job.held = true;
      queue.update(job);
    }
    expect(slots(queue, 2)).toEqual([3, 3]);
    middle.held = true;
    queue.update(middle);
    expect(queue.peek()?.job).toBe(low);
    low.held = true;
    queue.update(low);
    expect(queue.peek()).toBeUndefined();
  });

  it('lets owners take turns, however many jobs one of them has', () => {
    const queue = queueOf(of(1, 'ada'), of(2, 'ada'), of(3, 'ada'), of(4, 'bob'));
    expect(slots(queue, 8)).toEqual([1, 4, 2, 4, 3, 4, 1, 4]);
  });

  it('lets jobs that give their slots back take turns as well', () => {
    expect(turns(queueOf(of(1, 'ada'), of(2, 'ada'), of(3, 'bob')), 6)).toEqual([1, 3, 2, 3, 1, 3]);
  });

  it('lets no stream of new jobs keep an old one from its turn', () => {
    const queue = queueOf(of(1, 'ada'));
    const got: number[] = [];
    for (let id = 2; id <= 9; id++) {
      queue.update(of(id, 'ada'));
      got.push(...turns(queue, 1));
    }
    expect(got).toEqual([1, 2, 1, 3, 2, 4, 1, 5]);
  });

  it('lets no stream of new owners keep an old one from its turn', () => {
    const queue = queueOf(of(1, 'ada'));
    const got: number[] = [];
    for (let id = 2; id <= 9; id++) {
      queue.update(of(id, `owner ${id}`));
      got.push(...turns(queue, 1));
    }
    expect(got).toEqual([1, 2, 1, 3, 2, 4, 1, 5]);
  });

  it('prefers the older of those that are alike', () => {
    expect(queueOf(of(9, 'ada'), of(8, 'ada'), of(7, 'ada')).peek()!.job.id).toBe(7);
    const queue = new ReadyQueue();
    for (let id = 1; id <= 20; id++) queue.update(of(id, `owner ${id}`));
    expect(slots(queue, 20)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
  });

  it('keeps the turn of a job that was set aside', () => {
    const [first, second] = [of(1, 'ada'), of(2, 'bob')];
    const queue = queueOf(first, second);
    expect(turns(queue, 1)).toEqual([1]);
    queue.setAside(second.lanes[0]);
    expect(queue.peek()?.job).toBe(first);
    queue.update(second);
    expect(queue.hasRival(first.lanes[0])).toBe(false);
    queue.bringBack(second.lanes[0]);
    expect(turns(queue, 2)).toEqual([2, 1]);
  });

  it('knows whether a job has a rival in its band', () => {
    const [first, other] = [of(1, 'ada'), of(2, 'ada')];
    const queue = queueOf(first, of(9, 'ada', -1));
    expect(queue.hasRival(first.lanes[0])).toBe(false);
    queue.update(other);
    expect(queue.hasRival(first.lanes[0])).toBe(true);
    queue.setAside(other.lanes[0]);
    expect(queue.hasRival(first.lanes[0])).toBe(false);
    queue.update(of(3, 'bob'));
    expect(queue.hasRival(first.lanes[0])).toBe(true);
  });

  it('entitles a higher band, and who has no more than the holder with one slot more', () => {
    const [holder, sibling, stranger] = [of(1, 'ada'), of(2, 'ada'), of(3, 'bob')];
    const [high, low] = [of(4, 'bob', 1), of(5, 'bob', -1)];
    const queue = queueOf(holder, sibling, stranger, high, low);
    expect([sibling, stranger].map((job) => queue.isEntitled(job.lanes[0], holder.lanes[0]))).toEqual([false, false]);
    expect([high, low, holder].map((job) => queue.isEntitled(job.lanes[0], holder.lanes[0]))).toEqual([
      true,
      false,
      false,
    ]);
    queue.addSlots(holder.lanes[0], 1);
    expect([sibling, stranger].map((job) => queue.isEntitled(job.lanes[0], holder.lanes[0]))).toEqual([true, true]);
    queue.addSlots(sibling.lanes[0], 1);
    expect([sibling, stranger].map((job) => queue.isEntitled(job.lanes[0], holder.lanes[0]))).toEqual([false, true]);
    queue.addSlots(stranger.lanes[0], 2);
    expect(queue.isEntitled(stranger.lanes[0], holder.lanes[0])).toBe(false);
  });

  it('moves a job with its slots to another band', () => {
    const [moved, other] = [of(1, 'ada'), of(2, 'bob')];
    const queue = queueOf(moved, other);
    queue.addSlots(moved.lanes[0], 5);
    queue.setPriority(moved.lanes[0], 3);
    expect([queue.peek()?.job, moved.slots, moved.priority]).toEqual([moved, 5, 3]);
    // In its old band nothing of them is left: the other job is alone there.
    expect(queue.hasRival(other.lanes[0])).toBe(false);
    moved.held = true;
    queue.update(moved);
    queue.setPriority(moved.lanes[0], 0);
    expect(queue.peek()?.job).toBe(other);
    moved.held = false;
    queue.update(moved);
    expect(slots(queue, 5)).toEqual([2, 2, 2, 2, 2]);
  });

  it('takes a job out when it wants nothing, and forgets that it starved', () => {
    const job = of(1, 'ada');
    const queue = queueOf(job);
    job.lanes[0].starvedSince = 77;
    queue.update(job);
    expect([queue.peek()?.job, job.lanes[0].starvedSince]).toEqual([job, 77]);
    job.table.moveRun(0, 100, TaskState.ready, TaskState.cancelled);
    queue.update(job);
    queue.update(job);
    expect([queue.peek(), job.lanes[0].starvedSince, job.lanes[0].heapAt]).toEqual([undefined, 0, -1]);
  });
});
