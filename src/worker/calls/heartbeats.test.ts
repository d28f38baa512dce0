import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Heartbeats } from './heartbeats.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  const stalled: number[] = [];
  const heartbeats = new Heartbeats((fence) => stalled.push(fence));
  return { stalled, heartbeats };
}

test('who says nothing for so long has stalled, once; who speaks or ends has not', () => {
  const { stalled, heartbeats } = setUp();
  heartbeats.watch(1, 1_000);
  heartbeats.watch(2, 1_000);
  heartbeats.watch(3, 300);
  heartbeats.over(3);
  vi.advanceTimersByTime(900);
  heartbeats.heard(2);
  heartbeats.heard(9);
  vi.advanceTimersByTime(150);
  expect(stalled).toEqual([1]);
  vi.advanceTimersByTime(900);
  expect(stalled).toEqual([1, 2]);
  vi.advanceTimersByTime(10_000);
  expect(stalled).toEqual([1, 2]);
});

test('what stands still goes on where it was', () => {
  const { stalled, heartbeats } = setUp();
  heartbeats.watch(1, 1_000);
  heartbeats.watch(2, 1_000);
  heartbeats.suspend(3, true);
  vi.advanceTimersByTime(600);
  heartbeats.suspend(1, true);
  heartbeats.suspend(2, true);
  heartbeats.heard(2);
  vi.advanceTimersByTime(60_000);
  expect(stalled).toEqual([]);
  heartbeats.suspend(1, false);
  heartbeats.suspend(1, false);
  heartbeats.suspend(2, false);
  vi.advanceTimersByTime(450);
  expect(stalled).toEqual([1]);
  vi.advanceTimersByTime(600);
  expect(stalled).toEqual([1, 2]);
});

test('nothing is told after the end of the session', () => {
  const { stalled, heartbeats } = setUp();
  heartbeats.watch(1, 100);
  heartbeats.close();
  vi.advanceTimersByTime(1_000);
  expect(stalled).toEqual([]);
});
