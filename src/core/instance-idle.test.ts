import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ActivityReading, firstReading, idleMs, nextReading, readingPauseMs } from './instance-idle.ts';

const NONE: ActivityReading = { cpuUs: 0, diskBytes: 0, networkBytes: 0, logins: 0 };

describe('from one reading to the next', () => {
  const later = (change: Partial<ActivityReading>, ms = 60_000) =>
    nextReading(firstReading(NONE, 0), { ...NONE, ...change }, 5, ms);

  test('the first counts as active', () => {
    expect(idleMs(firstReading(NONE, 5_000))).toBe(0);
    expect(firstReading(NONE, 0).cpuPercent).toBeUndefined();
  });

  test.each<[string, Partial<ActivityReading>, number]>([
    ['nothing', {}, 60_000],
    ['less CPU than the threshold', { cpuUs: 2_900_000 }, 60_000],
    ['as much CPU as the threshold', { cpuUs: 3_000_000 }, 0],
    ['noise on the disk', { diskBytes: 100_000 }, 60_000],
    ['work on the disk', { diskBytes: 100_001 }, 0],
    ['noise on the network', { networkBytes: 100_000 }, 60_000],
    ['work on the network', { networkBytes: 100_001 }, 0],
    ['no counter of the network', { networkBytes: undefined }, 60_000],
    ['a login', { logins: 1 }, 0],
  ])('%s', (_, change, expected) => {
    expect(idleMs(later(change))).toBe(expected);
  });

  test('a counter of the network that was not there before says nothing', () => {
    const first = firstReading({ ...NONE, networkBytes: undefined }, 0);
    expect(idleMs(nextReading(first, { ...NONE, networkBytes: 1e9 }, 5, 1_000))).toBe(1_000);
  });

  test('one small write in a short time is no work', () => {
    expect(idleMs(later({ diskBytes: 16_384 }, 500))).toBe(500);
    expect(idleMs(later({ diskBytes: 16_385 }, 500))).toBe(0);
  });

  test('says what was used', () => {
    const { cpuPercent, bytesPerMinute } = later({ cpuUs: 1_000_000, diskBytes: 50, networkBytes: 50 }, 10_000);
    expect([cpuPercent, bytesPerMinute]).toEqual([10, 600]);
    expect(nextReading(firstReading({ ...NONE, cpuUs: 5, diskBytes: 9 }, 0), NONE, 5, 0)).toMatchObject({
      cpuPercent: 0,
      bytesPerMinute: 0,
    });
  });
});

test('idle is the time since the last reading with work, whatever the pauses', () => {
  const readings = fc.array(fc.record({ ms: fc.integer({ min: 1, max: 60_000 }), works: fc.boolean() }), {
    minLength: 1,
  });
  fc.assert(
    fc.property(readings, (all) => {
      let now = 0;
      let cpuUs = 0;
      let idleness = firstReading(NONE, 0);
      let worked = 0;
      for (const { ms, works } of all) {
        now += ms;
        if (works) {
          cpuUs += ms * 1_000;
          worked = now;
        }
        idleness = nextReading(idleness, { ...NONE, cpuUs }, 5, now);
        expect(idleMs(idleness)).toBe(now - worked);
      }
    }),
  );
});

test('readings are far apart, and close where the end of the timeout is', () => {
  expect(readingPauseMs(0, 0)).toBe(30_000);
  expect(readingPauseMs(3_600_000, 0)).toBe(30_000);
  expect(readingPauseMs(60_000, 0)).toBe(6_000);
  expect(readingPauseMs(60_000, 58_000)).toBe(2_000);
  expect(readingPauseMs(60_000, 60_000)).toBe(500);
  expect(readingPauseMs(1_000, 0)).toBe(500);
});
