import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LIFECYCLE_FACTS, LIFECYCLE_SETTINGS } from '../../test/support/lifecycle-facts.ts';
import { costOf } from './instance-cost.ts';
import { type Decision, decide, type LifecycleFacts, type LifecycleSettings } from './instance-lifecycle.ts';

const look = (facts: Partial<LifecycleFacts>, settings: Partial<LifecycleSettings> = {}): Decision =>
  decide({ ...LIFECYCLE_SETTINGS, ...settings }, { ...LIFECYCLE_FACTS, ...facts });
const actOf = (facts: Partial<LifecycleFacts>, settings: Partial<LifecycleSettings> = {}) => {
  const { act, reason } = look(facts, settings);
  return [act, reason];
};
const NOTHING = ['nothing', undefined];
const HOUR = 3_600_000;

test('without any end it goes on for ever', () => {
  expect(look({})).toEqual({
    act: 'nothing',
    reason: undefined,
    warnings: [],
    holding: new Set(),
    nextInMs: Number.POSITIVE_INFINITY,
  });
});

test('what is ending is left alone, and what was warned of stays so', () => {
  const decision = look({ state: 'ending', ttlLeftMs: -1, wanted: 'terminated', warned: new Set(['ttl']) });
  expect(decision).toMatchObject({ act: 'nothing', warnings: [], holding: new Set(['ttl']) });
});

describe('what is wanted', () => {
  test.each([
    ['stopped', 'stop'],
    ['hibernated', 'hibernate'],
    ['terminated', 'terminate'],
  ] as const)('%s', (wanted, act) => {
    expect(actOf({ wanted })).toEqual([act, 'user']);
    expect(actOf({ wanted, reason: 'budget' })).toEqual([act, 'budget']);
  });

  test('comes before all else', () => {
    const all = { ttlLeftMs: 0, ended: 'success', costShare: 0, idleMs: 1_000, ranMs: 1 } as const;
    expect(actOf({ ...all, wanted: 'stopped' }, { onComplete: 'terminate', idleTimeoutMs: 1 })).toEqual([
      'stop',
      'user',
    ]);
  });

  test('of a hibernated one', () => {
    const state = 'hibernated';
    expect(actOf({ state, wanted: 'hibernated' })).toEqual(NOTHING);
    expect(actOf({ state, wanted: 'running' })).toEqual(['thaw', undefined]);
    expect(actOf({ state, wanted: 'stopped' })).toEqual(['stop', 'user']);
    expect(actOf({ state, wanted: 'terminated' })).toEqual(['terminate', 'user']);
  });
});

describe('an interruption', () => {
  test('is told once, and ends it when its time has come', () => {
    const told = look({ interruptInMs: 120_000 });
    expect(told).toMatchObject({ act: 'nothing', warnings: [{ kind: 'interrupt', text: 'it is taken away in 2m' }] });
    expect(told.nextInMs).toBe(120_000);
    expect(look({ interruptInMs: 60_000, warned: told.holding }).warnings).toEqual([]);
    expect(actOf({ interruptInMs: 0 })).toEqual(['terminate', 'interrupted']);
    expect(actOf({ interruptInMs: -5, wanted: 'stopped' })).toEqual(['terminate', 'interrupted']);
  });
});

describe('completion', () => {
  const settings = { onComplete: 'stop' } as const;

  test.each([
    ['the signal', { completion: 'success' }, ['stop', 'completed']],
    ['the end of the command', { ended: 'success' }, ['stop', 'completed']],
    ['a failure', { ended: 'failed' }, ['stop', 'completed']],
    ['a signal that says more than the end', { completion: 'success', ended: 'failed' }, ['stop', 'completed']],
    ['the word of the coordinator', { done: true }, ['stop', 'completed']],
    ['one that was served', { done: true, completionServed: true }, NOTHING],
    ['none', {}, NOTHING],
  ] as const)('%s', (_, facts, expected) => {
    expect(actOf(facts, settings)).toEqual(expected);
  });

  test('a failure that others may follow waits for the word of the coordinator', () => {
    expect(actOf({ ended: 'failed' }, { ...settings, retries: true })).toEqual(NOTHING);
    expect(actOf({ completion: 'failed' }, { ...settings, retries: true })).toEqual(NOTHING);
    expect(actOf({ ended: 'failed', done: true }, { ...settings, retries: true })).toEqual(['stop', 'completed']);
    expect(actOf({ ended: 'success' }, { ...settings, retries: true })).toEqual(['stop', 'completed']);
  });

  test('means nothing where nothing was asked for, and to one that rests', () => {
    expect(actOf({ ended: 'success' })).toEqual(NOTHING);
    expect(actOf({ ended: 'success', state: 'hibernated', wanted: 'hibernated' }, settings)).toEqual(NOTHING);
  });
});

describe('TTL', () => {
  test.each([
    ['a tenth of a short one', 100_000, 10_000, '10s'],
    ['5 minutes of a long one', 10 * HOUR, 300_000, '5m'],
  ])('warns at %s', (_, ttlSpanMs, aheadMs, words) => {
    const early = look({ ttlSpanMs, ttlLeftMs: aheadMs + 1 });
    expect(early).toMatchObject({ warnings: [], nextInMs: 1 });
    const at = look({ ttlSpanMs, ttlLeftMs: aheadMs });
    expect(at.warnings).toEqual([{ kind: 'ttl', text: `it is terminated in ${words}: its TTL ends` }]);
    expect(at.nextInMs).toBe(aheadMs);
    expect(look({ ttlSpanMs, ttlLeftMs: 1, warned: at.holding }).warnings).toEqual([]);
  });

  test('warns again after it was moved', () => {
    const at = look({ ttlSpanMs: 1_000, ttlLeftMs: 50 });
    const moved = look({ ttlSpanMs: 5_000, ttlLeftMs: 5_000, warned: at.holding });
    expect(moved.holding).toEqual(new Set());
    expect(look({ ttlSpanMs: 5_000, ttlLeftMs: 400, warned: moved.holding }).warnings).toHaveLength(1);
  });

  test('terminates, whatever else could be', () => {
    const settings = { onIdle: 'hibernate', idleTimeoutMs: 1 } as const;
    expect(actOf({ ttlLeftMs: 0, costShare: 0, ranMs: 1, idleMs: 5 }, settings)).toEqual(['terminate', 'ttl']);
  });

  test('stands still while it rests, unless the wall clock counts', () => {
    const rests = { state: 'hibernated', wanted: 'hibernated', ttlLeftMs: 50, ttlSpanMs: 1_000 } as const;
    expect(look(rests)).toMatchObject({ warnings: [], nextInMs: Number.POSITIVE_INFINITY });
    expect(look(rests, { ttlMode: 'wall' }).warnings).toHaveLength(1);
    expect(actOf({ ...rests, ttlLeftMs: 0 }, { ttlMode: 'wall' })).toEqual(['terminate', 'ttl']);
    // It was over before it went to rest.
    expect(actOf({ ...rests, ttlLeftMs: 0, wanted: 'running' })).toEqual(['terminate', 'ttl']);
  });
});

describe('cost', () => {
  test('of time that ran', () => {
    expect(costOf(HOUR / 2, 3)).toBe(1.5);
  });

  test('warns at nine tenths and ends at the limit', () => {
    // 3.60 an hour: a tenth of a cent a second.
    expect(look({ costShare: 0.01, ranMs: 8_000 })).toMatchObject({ warnings: [], nextInMs: 1_000 });
    const at = look({ costShare: 0.01, ranMs: 9_000 });
    expect(at.warnings).toEqual([{ kind: 'cost', text: 'it has cost $0.0090 of $0.0100: it is terminated in 1s' }]);
    expect(actOf({ costShare: 0.01, ranMs: 10_000, idleMs: 9 }, { idleTimeoutMs: 1 })).toEqual([
      'terminate',
      'cost-limit',
    ]);
  });

  test('does not grow while it rests, nor where it costs nothing', () => {
    // Its end is paid for, too: ten seconds' worth, of which the end takes two, or a quarter at most.
    expect(look({ costShare: 0.01, endMs: 2_000 })).toMatchObject({ act: 'nothing', nextInMs: 7_200 });
    expect(actOf({ costShare: 0.01, endMs: 2_000, ranMs: 7_999 })).toEqual(NOTHING);
    expect(actOf({ costShare: 0.01, endMs: 2_000, ranMs: 8_000 })).toEqual(['terminate', 'cost-limit']);
    expect(actOf({ costShare: 0.01, endMs: 60_000, ranMs: 7_500 })).toEqual(['terminate', 'cost-limit']);
    const rests = { state: 'hibernated', wanted: 'hibernated', costShare: 0.01, ranMs: 10_000 } as const;
    expect(actOf(rests)).toEqual(NOTHING);
    expect(actOf({ costShare: 0, ranMs: 10_000 }, { rate: 0 })).toEqual(NOTHING);
  });
});

describe('idle', () => {
  const settings = { idleTimeoutMs: 10_000 };

  test.each([
    ['stop', 'stopped'],
    ['hibernate', 'hibernated'],
    ['terminate', 'terminated'],
  ] as const)('%s, after a warning at four fifths', (onIdle, words) => {
    expect(look({ idleMs: 7_000 }, { ...settings, onIdle })).toMatchObject({ warnings: [], nextInMs: 1_000 });
    const at = look({ idleMs: 8_000 }, { ...settings, onIdle });
    expect(at.warnings).toEqual([{ kind: 'idle', text: `idle for 8s: it is ${words} in 2s` }]);
    expect(actOf({ idleMs: 10_000, warned: at.holding }, { ...settings, onIdle })).toEqual([onIdle, 'idle']);
  });

  test('says nothing before anything was measured, without a timeout, and of one that rests', () => {
    expect(actOf({}, settings)).toEqual(NOTHING);
    expect(actOf({ idleMs: 1e9 })).toEqual(NOTHING);
    expect(actOf({ idleMs: 1e9, state: 'hibernated', wanted: 'hibernated' }, settings)).toEqual(NOTHING);
  });

  test('of less than a second is told in milliseconds', () => {
    expect(look({ idleMs: 80 }, { idleTimeoutMs: 100 }).warnings[0]?.text).toBe('idle for 80ms: it is stopped in 20ms');
  });
});

test('the first of the order that applies decides', () => {
  const maybe = fc.boolean();
  fc.assert(
    fc.property(maybe, maybe, maybe, maybe, maybe, maybe, (wanted, interrupted, complete, ttl, cost, idle) => {
      const decision = look(
        {
          wanted: wanted ? 'stopped' : 'running',
          interruptInMs: interrupted ? 0 : undefined,
          ended: complete ? 'success' : undefined,
          ttlLeftMs: ttl ? 0 : HOUR,
          costShare: cost ? 0 : 1_000,
          ranMs: 1,
          idleMs: idle ? 10 : 0,
        },
        { onComplete: 'hibernate', idleTimeoutMs: 10 },
      );
      const order: [boolean, string, string | undefined][] = [
        [interrupted, 'terminate', 'interrupted'],
        [wanted, 'stop', 'user'],
        [complete, 'hibernate', 'completed'],
        [ttl, 'terminate', 'ttl'],
        [cost, 'terminate', 'cost-limit'],
        [idle, 'stop', 'idle'],
        [true, 'nothing', undefined],
      ];
      const [, act, reason] = order.find(([applies]) => applies)!;
      expect([decision.act, decision.reason]).toEqual([act, reason]);
    }),
  );
});
