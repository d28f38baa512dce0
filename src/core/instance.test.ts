import { describe, expect, test } from 'vitest';
import {
  ACCEPTS,
  effectOf,
  eventOfReport,
  INSTANCE_EVENTS,
  INSTANCE_STATES,
  isCharged,
  type LifeVerb,
  moveInstance,
  stepOf,
  ttlRuns,
  type WantedState,
} from './instance.ts';

describe('every state x event', () => {
  test('moves where the table says, and nowhere else', () => {
    for (const state of INSTANCE_STATES) {
      for (const event of INSTANCE_EVENTS) {
        expect(moveInstance(state, event) !== undefined, `${state} ${event}`).toBe(ACCEPTS[state].includes(event));
      }
    }
  });

  test('nothing leaves terminated, and nothing but the end leaves shutting-down', () => {
    expect(ACCEPTS.terminated).toEqual([]);
    expect(ACCEPTS['shutting-down']).toEqual(['ended']);
  });

  test('every state but the last can end at once', () => {
    for (const state of INSTANCE_STATES.filter((each) => each !== 'terminated'))
      expect(moveInstance(state, 'ended')).toBe('terminated');
  });

  test('a stopped one runs only after a relaunch', () => {
    expect(moveInstance('stopped', 'runs')).toBeUndefined();
    expect(moveInstance('stopped', 'relaunch')).toBe('pending');
    expect(moveInstance('pending', 'runs')).toBe('running');
  });

  test('a report of any state leads to that state from pending', () => {
    for (const state of INSTANCE_STATES) {
      const event = eventOfReport(state);
      if (state === 'pending') expect(event).toBeUndefined();
      else expect(moveInstance('pending', event!)).toBe(state);
    }
  });
});

test('what runs is charged, also while it comes to rest', () => {
  expect(INSTANCE_STATES.filter(isCharged)).toEqual(['running', 'stopping', 'shutting-down']);
});

test('a TTL goes on while it runs, or always', () => {
  expect(INSTANCE_STATES.filter((state) => ttlRuns(state, 'running'))).toEqual([
    'running',
    'stopping',
    'shutting-down',
  ]);
  expect(INSTANCE_STATES.filter((state) => ttlRuns(state, 'wall'))).toEqual([
    'running',
    'stopping',
    'stopped',
    'hibernated',
    'shutting-down',
  ]);
});

describe('every verb x state x wanted', () => {
  const wanteds: readonly WantedState[] = ['running', 'stopped', 'hibernated', 'terminated'];
  const effect = (verb: LifeVerb, state: (typeof INSTANCE_STATES)[number], wanted: WantedState, spot = false) => {
    const { kind } = effectOf(verb, state, wanted, spot);
    return kind;
  };

  test('what is over accepts a terminate that does nothing, a replace, and no more', () => {
    for (const state of INSTANCE_STATES) {
      for (const wanted of wanteds) {
        if (state !== 'terminated' && state !== 'shutting-down' && wanted !== 'terminated') continue;
        expect(effect('terminate', state, wanted)).toBe('none');
        expect(effect('replace', state, wanted)).toBe('do');
        for (const verb of ['stop', 'hibernate', 'start', 'extend', 'interrupt'] as const)
          expect(effect(verb, state, wanted, true)).toBe('refused');
      }
    }
    expect(effectOf('start', 'terminated', 'terminated', false)).toEqual({ kind: 'refused', note: 'it has ended' });
    expect(effectOf('start', 'running', 'terminated', false)).toEqual({ kind: 'refused', note: 'it is ending' });
  });

  test('the second time there is nothing to do', () => {
    for (const state of ['pending', 'running', 'stopping', 'stopped', 'hibernated'] as const) {
      expect(effect('stop', state, 'stopped')).toBe('none');
      expect(effect('start', state, 'running')).toBe('none');
      expect(effect('hibernate', state, 'hibernated')).toBe('none');
    }
  });

  test('stop and start take back what was asked before; only what runs hibernates', () => {
    for (const state of ['pending', 'running', 'stopping', 'stopped', 'hibernated'] as const) {
      expect(effectOf('stop', state, 'running', false)).toEqual({ kind: 'want', wanted: 'stopped' });
      expect(effectOf('start', state, 'stopped', false)).toEqual({ kind: 'want', wanted: 'running' });
      expect(effectOf('terminate', state, 'running', false)).toEqual({ kind: 'want', wanted: 'terminated' });
      expect(effect('extend', state, 'running')).toBe('do');
      expect(effect('hibernate', state, 'stopped')).toBe('refused');
      expect(effect('hibernate', state, 'running')).toBe(state === 'running' ? 'want' : 'refused');
    }
  });

  test('only spot instances that run are interrupted', () => {
    expect(effectOf('interrupt', 'running', 'running', false)).toMatchObject({ note: expect.stringContaining('spot') });
    expect(effect('interrupt', 'running', 'running', true)).toBe('do');
    expect(effectOf('interrupt', 'stopped', 'stopped', true)).toMatchObject({ kind: 'refused' });
  });
});

describe('the step for a member', () => {
  test('without a machine: launched when its task may run', () => {
    expect(stepOf({ cancelled: false, mayRun: true, live: undefined })).toBe('launch');
    expect(stepOf({ cancelled: false, mayRun: false, live: undefined })).toBe('none');
    expect(stepOf({ cancelled: true, mayRun: false, live: undefined })).toBe('none');
  });

  test('with a machine: ended when its task is, started again when it shall run', () => {
    const running = { state: 'running', wanted: 'running' } as const;
    expect(stepOf({ cancelled: true, mayRun: false, live: running })).toBe('end');
    expect(stepOf({ cancelled: true, mayRun: false, live: { ...running, wanted: 'terminated' } })).toBe('none');
    expect(stepOf({ cancelled: false, mayRun: true, live: running })).toBe('none');
    expect(stepOf({ cancelled: false, mayRun: true, live: { state: 'stopped', wanted: 'running' } })).toBe('relaunch');
    expect(stepOf({ cancelled: false, mayRun: true, live: { state: 'stopped', wanted: 'stopped' } })).toBe('none');
  });
});
