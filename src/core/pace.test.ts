import { describe, expect, it } from 'vitest';
import { Pace } from './pace.ts';

const T = 1_700_000_000_000;

describe('how fast a job goes on', () => {
  it('is not known before the first end', () => {
    expect(new Pace().perSecond(T, T - 9_000)).toBeUndefined();
  });

  it('is counted since the start of a young job, and over at least a second', () => {
    const pace = new Pace();
    pace.note(T, 30);
    expect(pace.perSecond(T, T)).toBe(30);
    pace.note(T + 10_000, 30);
    expect(pace.perSecond(T + 10_000, T)).toBe(6);
  });

  it('forgets what is older than a minute, however the ends are spread', () => {
    const pace = new Pace();
    for (let second = 0; second < 200; second++) pace.note(T + second * 1000, second < 150 ? 100 : 7);
    expect(pace.perSecond(T + 199_000, T)).toBeCloseTo((50 * 7 + 10 * 100) / 60, 5);
    pace.note(T + 1_000_000, 6);
    expect(pace.perSecond(T + 1_000_000, T)).toBeCloseTo(0.1, 5);
    expect(pace.perSecond(T + 1_059_000, T)).toBeCloseTo(0.1, 5);
    expect(pace.perSecond(T + 1_060_000, T)).toBe(0);
    expect(pace.perSecond(T + 9_000_000, T)).toBe(0);
  });

  it('begins anew when the job was loaded, or is live again', () => {
    const pace = new Pace();
    pace.since = T;
    pace.note(T + 1000, 20);
    expect(pace.perSecond(T + 2000, T - 3_600_000)).toBe(10);
  });

  it('begins anew when the clock was set back', () => {
    const pace = new Pace();
    pace.note(T, 500);
    pace.note(T - 100_000, 4);
    expect(pace.perSecond(T - 98_000, T - 200_000)).toBe(2);
    expect(pace.perSecond(T - 101_000, T - 200_000)).toBe(4);
  });
});
