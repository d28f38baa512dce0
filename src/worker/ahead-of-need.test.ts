import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { scriptedJob } from '../../test/support/scripted-coordinator.ts';
import { IndexSet } from '../core/index-set.ts';
import { needsOf, Room } from '../core/resources.ts';
import { AheadOfNeed, widthOf } from './ahead-of-need.ts';
import type { KnownJob } from './job-book.ts';

function jobOf(changes = {}): KnownJob {
  const { gpus = 0, resources = {}, ...description } = scriptedJob(1, 'true', changes);
  const needs = needsOf({ ...description, gpus, resources });
  return { description, lane: 0, needs, queueId: 1, indices: IndexSet.ofSize(1), prepared: undefined };
}

describe('a task may wait in the forker', () => {
  const job = jobOf();
  const other = jobOf();
  let ahead: AheadOfNeed;

  /** Two run, and one of them has just followed a short one. */
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    ahead = new AheadOfNeed();
    for (let i = 0; i < 3; i++) ahead.sent(job);
    ahead.gone(job);
    ahead.ended(job, 2_000);
  });
  afterEach(() => void vi.useRealTimers());

  const wait = () => {
    ahead.queued(job);
    ahead.sent(job);
  };

  test('two for each that runs', () => {
    for (let i = 0; i < 4; i++) {
      expect(ahead.mayQueue(job)).toBe(true);
      wait();
    }
    expect(ahead.mayQueue(job)).toBe(false);
    expect(ahead.tookOver(job)).toBe(true);
    ahead.gone(job);
    expect(ahead.mayQueue(job)).toBe(true);
  });

  test('only while the last one that ended was short', () => {
    ahead.ended(job, 60_000);
    expect(ahead.mayQueue(job)).toBe(false);
  });

  test('only while that was a moment ago', () => {
    vi.advanceTimersByTime(51);
    expect(ahead.mayQueue(job)).toBe(false);
  });

  test('only while no task of another job is there', () => {
    ahead.sent(other);
    expect(ahead.mayQueue(job)).toBe(false);
    expect(ahead.mayQueue(other)).toBe(false);
    ahead.gone(other);
    expect(ahead.mayQueue(job)).toBe(true);
  });

  test('and takes over from one of its own job only', () => {
    wait();
    expect(ahead.tookOver(other)).toBe(false);
    expect(ahead.tookOver(job)).toBe(true);
    expect(ahead.tookOver(job)).toBe(false);
  });
});

test('after a hundred short tasks in a row the next is taken to be short, until one is not', () => {
  const ahead = new AheadOfNeed();
  const [job, other] = [jobOf(), jobOf()];
  const inStream: boolean[] = [];
  for (let i = 0; i < 102; i++) {
    inStream.push(ahead.inStream(job));
    ahead.ended(job, 49_000);
  }
  expect(inStream.indexOf(true)).toBe(100);
  expect(inStream.lastIndexOf(false)).toBe(99);
  expect(ahead.inStream(other)).toBe(false);
  ahead.ended(job, 50_000);
  expect(ahead.inStream(job)).toBe(false);
});

test.each([
  [{ cpus: 1 }, 4],
  [{ cpus: 0.1 }, 30],
  [{ cpus: 0.1, resources: { license: 0.5 } }, 6],
  [{ cpus: 0.1, resources: { none: 1 } }, 1],
  [{ cpus: 3 }, 1],
  [{ cpus: 9 }, 1],
  [{ cpus: 1, memoryBytes: 500 }, 2],
  [{ cpus: 1, memoryBytes: 5_000 }, 1],
])('of %j so many fit side by side: %i', (changes, width) => {
  expect(
    widthOf(jobOf(changes), new Room({ cpus: 4, memoryBytes: 1_000, gpus: 2, named: { license: 3 }, slots: 30 })),
  ).toBe(width);
});
