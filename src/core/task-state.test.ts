import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ACCEPTS,
  eventCode,
  ILLEGAL,
  NEXT,
  TASK_EVENTS,
  TASK_STATES,
  type TaskEvent,
  TaskEventCode,
  TaskState,
  type TaskStateName,
  type TaskView,
  transition,
} from './task-state.ts';

const FENCE = 7;

/** One event for each column of the table, in its order. */
const EVENTS: TaskEvent[] = [
  { kind: 'release' },
  { kind: 'dependencyFailed' },
  { kind: 'grant', fence: FENCE + 1 },
  { kind: 'start', fence: FENCE },
  { kind: 'revoke', fence: FENCE },
  { kind: 'end', fence: FENCE, disposition: 'completed' },
  { kind: 'end', fence: FENCE, disposition: 'failed' },
  { kind: 'end', fence: FENCE, disposition: 'retry' },
  { kind: 'end', fence: FENCE, disposition: 'cancelled' },
  { kind: 'end', fence: FENCE, disposition: 'requeue' },
  { kind: 'cancel' },
  { kind: 'lose', fence: FENCE, disposition: 'failed' },
  { kind: 'lose', fence: FENCE, disposition: 'retry' },
  { kind: 'lose', fence: FENCE, disposition: 'cancelled' },
  { kind: 'lose', fence: FENCE, disposition: 'requeue' },
  { kind: 'retry' },
  { kind: 'retry', blocked: true },
  { kind: 'requeue' },
  { kind: 'requeue', blocked: true },
  { kind: 'rearm' },
];

/** The next state by column: the first letter of it, u for cancelled; S is stale, - illegal. */
const EXPECTED: Record<TaskStateName, string> = {
  //          rel dep gra sta rev | end: c f r u q | can | lose: f r u q | retry b requeue b | rearm
  blocked: '   r   s   -   S   S    S S S S S        u     S S S S         - -     - -         -',
  ready: '     -   -   l   S   S    S S S S S        u     S S S S         - -     - -         -',
  leased: '    -   -   -   R   r    - - - - -        l     f r u r         - -     l -         -',
  running: '   -   -   -   -   -    c f r u r        R     f r u r         - -     R -         -',
  completed: ' -   -   -   S   S    S S S S S        -     S S S S         - -     r b         -',
  failed: '    -   -   -   S   S    S S S S S        -     S S S S         r b     r b         -',
  cancelled: ' -   -   -   S   S    S S S S S        -     S S S S         r b     r b         -',
  skipped: '   -   -   -   S   S    S S S S S        -     S S S S         - -     - -         b',
};
const LETTERS: Record<string, TaskStateName> = {
  b: 'blocked',
  r: 'ready',
  l: 'leased',
  R: 'running',
  c: 'completed',
  f: 'failed',
  u: 'cancelled',
  s: 'skipped',
};

function task(state: TaskState, more: Partial<TaskView> = {}): TaskView {
  return { state, fence: FENCE, cancelRequested: false, requeueRequested: false, ...more };
}

function moved(view: TaskView, event: TaskEvent): TaskView {
  const result = transition(view, event);
  if (result.kind !== 'moved') throw new Error(`${result.kind}: ${JSON.stringify([view, event])}`);
  return result.task;
}

const PAIRS = TASK_STATES.flatMap((state) => EVENTS.map((event, code) => [state, event, code] as const));

describe('transition', () => {
  it('has one column for each kind of event and what it asks for', () => {
    expect(EVENTS.map(eventCode)).toEqual(Object.values(TaskEventCode));
    expect(EVENTS.map((_, code) => code)).toEqual(Object.values(TaskEventCode));
    expect(TASK_EVENTS).toBe(EVENTS.length);
    expect(TASK_STATES.map((name) => TaskState[name])).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it.each(PAIRS)('%s, %j', (state, event, code) => {
    const expected = EXPECTED[state].trim().split(/\s+/)[code]!;
    const result = transition(task(TaskState[state]), event);
    if (expected === 'S') expect(result).toEqual({ kind: 'stale' });
    else if (expected === '-') expect(result).toEqual({ kind: 'illegal' });
    else {
      expect(result).toEqual({
        kind: 'moved',
        task: {
          state: TaskState[LETTERS[expected]!],
          fence: event.kind === 'grant' ? event.fence : FENCE,
          cancelRequested: event.kind === 'cancel' && expected !== 'u',
          requeueRequested: event.kind === 'requeue' && /[lR]/.test(expected),
        },
      });
    }
  });

  it.each(PAIRS)('the table says the same: %s, %j', (state, event, code) => {
    const result = transition(task(TaskState[state]), event);
    const next = NEXT[TaskState[state] * TASK_EVENTS + code];
    expect(next).toBe(result.kind === 'moved' ? result.task.state : ILLEGAL);
  });

  it('accepts what ACCEPTS lists, and nothing else', () => {
    for (const [state, event] of PAIRS) {
      const kinds = EVENTS.filter((e) => transition(task(TaskState[state]), e).kind === 'moved').map((e) => e.kind);
      expect(ACCEPTS[TaskState[state]].includes(event.kind)).toBe(kinds.includes(event.kind));
    }
  });

  it('takes any report with another fence as stale, before and after the current one', () => {
    for (const [state, event] of PAIRS) {
      if (!('fence' in event) || event.kind === 'grant') continue;
      for (const fence of [FENCE - 1, FENCE + 1]) {
        expect(transition(task(TaskState[state]), { ...event, fence })).toEqual({ kind: 'stale' });
      }
    }
  });

  it('grants only with a larger fence', () => {
    for (const fence of [FENCE - 1, FENCE]) {
      expect(transition(task(TaskState.ready), { kind: 'grant', fence })).toEqual({ kind: 'illegal' });
    }
  });

  it.each(EVENTS)('never makes a task ready again whose cancel was asked for: %j', (event) => {
    for (const state of [TaskState.leased, TaskState.running]) {
      const before = task(state, { cancelRequested: true, requeueRequested: true });
      const result = transition(before, event);
      if (result.kind !== 'moved') continue;
      expect(result.task.state).not.toBe(TaskState.ready);
      if (result.task.state === state || result.task.state === TaskState.running) {
        expect(result.task).toMatchObject({ cancelRequested: true, requeueRequested: true });
      } else {
        expect(result.task).toMatchObject({ cancelRequested: false, requeueRequested: false });
      }
    }
  });

  it('keeps a request through the start, and forgets it with the end', () => {
    const leased = moved(task(TaskState.ready), { kind: 'grant', fence: 8 });
    const asked = moved(leased, { kind: 'requeue' });
    const running = moved(asked, { kind: 'start', fence: 8 });
    expect(running).toEqual(task(TaskState.running, { fence: 8, requeueRequested: true }));
    const again = moved(running, { kind: 'end', fence: 8, disposition: 'requeue' });
    expect(again).toEqual(task(TaskState.ready, { fence: 8 }));
  });

  it('accepts one terminal result for each grant, whatever is reported', () => {
    const anyEvent = fc.oneof(
      fc.constantFrom(...EVENTS.filter((event) => !('fence' in event))),
      fc.record({ kind: fc.constantFrom('start' as const, 'revoke' as const), fence: fc.nat(12) }),
      fc.record({ kind: fc.constant('grant' as const), fence: fc.nat(12) }),
      fc.record({
        kind: fc.constantFrom('end' as const, 'lose' as const),
        fence: fc.nat(12),
        disposition: fc.constantFrom('failed' as const, 'retry' as const, 'cancelled' as const, 'requeue' as const),
      }),
    );
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
        const ended = new Set<number>();
        let view: TaskView = { state: TaskState.blocked, fence: 0, cancelRequested: false, requeueRequested: false };
        for (const event of events) {
          const result = transition(view, event);
          if (result.kind !== 'moved') continue;
          if (event.kind === 'end' || event.kind === 'lose' || event.kind === 'revoke') {
            expect(event.fence).toBe(view.fence);
            expect(ended.has(event.fence)).toBe(false);
            ended.add(event.fence);
          }
          expect(result.task.fence).toBeGreaterThanOrEqual(view.fence);
          view = result.task;
        }
      }),
      { numRuns: 500 },
    );
  });
});
