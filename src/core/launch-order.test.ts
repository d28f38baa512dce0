import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LaunchState, launchNow, WIDE } from './launch-order.ts';

const state = (facts: Partial<LaunchState> = {}): LaunchState => ({
  waiting: [0, 1, 2, 3],
  live: 0,
  underWay: 0,
  maxConcurrent: 0,
  launchDelayMs: 0,
  lastLaunchAt: undefined,
  now: 1_000,
  ...facts,
});

describe('launches', () => {
  it('all that wait, in order', () => {
    expect(launchNow(state())).toEqual({ launch: [0, 1, 2, 3], nextAt: undefined });
  });

  it('only so many as may live at once', () => {
    expect(launchNow(state({ maxConcurrent: 3, live: 1 })).launch).toEqual([0, 1]);
    expect(launchNow(state({ maxConcurrent: 3, live: 3 }))).toEqual({ launch: [], nextAt: undefined });
    // The bound was lowered while more were running.
    expect(launchNow(state({ maxConcurrent: 2, live: 3 })).launch).toEqual([]);
  });

  it('not too many at once', () => {
    expect(launchNow(state({ waiting: Array.from({ length: 1_000 }, (_, at) => at) })).launch).toHaveLength(WIDE);
    expect(launchNow(state({ wide: 3, underWay: 2 })).launch).toEqual([0]);
    expect(launchNow(state({ wide: 3, underWay: 3 })).launch).toEqual([]);
  });

  it('reads no more of what waits than it launches', () => {
    let read = 0;
    const endless = (function* () {
      for (;;) yield read++;
    })();
    expect(launchNow(state({ waiting: endless, wide: 5 })).launch).toEqual([0, 1, 2, 3, 4]);
    expect(read).toBe(6);
  });

  it('one at a time with a delay', () => {
    expect(launchNow(state({ launchDelayMs: 500 }))).toEqual({ launch: [0], nextAt: 1_500 });
    expect(launchNow(state({ launchDelayMs: 500, lastLaunchAt: 700 }))).toEqual({ launch: [], nextAt: 1_200 });
    expect(launchNow(state({ launchDelayMs: 500, lastLaunchAt: 500 }))).toEqual({ launch: [0], nextAt: 1_500 });
    expect(launchNow(state({ launchDelayMs: 500, waiting: [7] }))).toEqual({ launch: [7], nextAt: undefined });
    expect(launchNow(state({ launchDelayMs: 500, maxConcurrent: 1 }))).toEqual({ launch: [0], nextAt: undefined });
    expect(launchNow(state({ launchDelayMs: 500, lastLaunchAt: 700, waiting: [] }))).toEqual({
      launch: [],
      nextAt: undefined,
    });
  });

  it('those alone that go first', () => {
    expect(launchNow(state({ isFirst: (rank) => rank === 2 })).launch).toEqual([2]);
    expect(launchNow(state({ isFirst: () => false }))).toEqual({ launch: [], nextAt: undefined });
  });
});

it('launches every member once, within all bounds, whatever they are', () => {
  const bounds = fc.record({
    size: fc.integer({ min: 1, max: 40 }),
    maxConcurrent: fc.integer({ min: 0, max: 8 }),
    launchDelayMs: fc.constantFrom(0, 100),
    wide: fc.integer({ min: 1, max: 6 }),
    canary: fc.integer({ min: 0, max: 3 }),
    lives: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }),
  });
  fc.assert(
    fc.property(bounds, ({ size, maxConcurrent, launchDelayMs, wide, canary, lives }) => {
      const launched = new Map<number, number>();
      const ended = new Set<number>();
      const first = Math.min(canary, size);
      let lastLaunchAt: number | undefined;
      // Each comes up 50 ms after its launch and ends some 100 ms later.
      for (let now = 0; ended.size < size; now += 50) {
        expect(now).toBeLessThan(100_000);
        for (const [rank, at] of launched) if (now - at >= lives[rank % lives.length]! * 100) ended.add(rank);
        const live = [...launched.keys()].filter((rank) => !ended.has(rank));
        const underWay = live.filter((rank) => launched.get(rank)! > now - 50).length;
        const passed = Array.from({ length: first }, (_, rank) => rank).every((rank) => ended.has(rank));
        const { launch, nextAt } = launchNow({
          waiting: Array.from({ length: size }, (_, rank) => rank).filter((rank) => !launched.has(rank)),
          live: live.length,
          underWay,
          maxConcurrent,
          launchDelayMs,
          lastLaunchAt,
          now,
          isFirst: passed ? undefined : (rank) => rank < first,
          wide,
        });
        if (launch.length > 0 && launchDelayMs > 0) {
          expect(launch).toHaveLength(1);
          if (lastLaunchAt !== undefined) expect(now - lastLaunchAt).toBeGreaterThanOrEqual(launchDelayMs);
        }
        for (const rank of launch) {
          expect(launched.has(rank)).toBe(false);
          expect(passed || rank < first).toBe(true);
          launched.set(rank, now);
          lastLaunchAt = now;
        }
        if (maxConcurrent > 0) expect(live.length + launch.length).toBeLessThanOrEqual(maxConcurrent);
        expect(underWay + launch.length).toBeLessThanOrEqual(Math.max(wide, underWay));
        if (nextAt !== undefined) expect(nextAt).toBeGreaterThan(now);
        // What waits for nothing but time is told when; all else waits for a change of what lives.
        if (launch.length === 0 && live.length === 0 && launched.size < size) expect(nextAt).toBeDefined();
      }
    }),
  );
});
