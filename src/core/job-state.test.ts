import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFinished, jobState, neededOf } from './job-state.ts';
import { TASK_STATES, type TaskStateName } from './task-state.ts';

function countsOf(...states: TaskStateName[]): Int32Array {
  const counts = new Int32Array(TASK_STATES.length);
  for (const state of states) counts[TASK_STATES.indexOf(state)]! += 1;
  return counts;
}

describe('jobState', () => {
  it.each<[TaskStateName[], free: string, held: string]>([
    [['running', 'ready', 'blocked', 'failed'], 'running', 'running'],
    [['leased', 'ready', 'failed'], 'running', 'running'],
    [['ready', 'blocked', 'failed'], 'ready', 'held'],
    [['blocked', 'failed'], 'blocked', 'held'],
    [['failed', 'cancelled', 'skipped', 'completed'], 'failed', 'failed'],
    [['cancelled', 'skipped', 'completed'], 'cancelled', 'cancelled'],
    [['skipped', 'completed'], 'skipped', 'skipped'],
    [['completed'], 'completed', 'completed'],
    [[], 'completed', 'completed'],
  ])('of %j is %s, held %s', (states, free, held) => {
    expect(jobState(countsOf(...states), false)).toBe(free);
    expect(jobState(countsOf(...states), true)).toBe(held);
  });

  it.each<[TaskStateName[], string]>([
    [['completed', 'completed', 'completed', 'failed'], 'completed'],
    [['completed', 'completed', 'failed', 'failed'], 'failed'],
    [['completed', 'completed', 'completed', 'skipped'], 'completed'],
    [['completed', 'completed', 'completed', 'failed', 'ready'], 'ready'],
  ])('of %j of which three quarters are enough is %s', (states, state) => {
    expect(jobState(countsOf(...states), false, 0.75)).toBe(state);
  });

  it('is an end state exactly when the job is finished', () => {
    const ends = ['failed', 'cancelled', 'skipped', 'completed'];
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 8, maxLength: 8 }), fc.boolean(), (counts, held) => {
        expect(ends.includes(jobState(counts, held))).toBe(isFinished(counts));
      }),
    );
  });
});

describe('isFinished', () => {
  it.each<[TaskStateName, boolean]>([
    ['blocked', false],
    ['ready', false],
    ['leased', false],
    ['running', false],
    ['completed', true],
    ['failed', true],
    ['cancelled', true],
    ['skipped', true],
  ])('with one task %s: %s', (state, finished) => {
    expect(isFinished(countsOf(state, 'completed'))).toBe(finished);
  });
});

describe('neededOf', () => {
  it.each([
    [100, 0.07, 7],
    [3, 0.5, 2],
    [1_000_000, 0.95, 950_000],
    [1_000_000, 1e-9, 1],
    [7, 1, 7],
  ])('%d tasks, of which %d are enough: %d', (size, minSuccess, needed) => {
    expect(neededOf(size, minSuccess)).toBe(needed);
  });
});
