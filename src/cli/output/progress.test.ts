import { describe, expect, test } from 'vitest';
import { aDelta, aJob, someCounts } from '../../../test/support/cli-world.ts';
import { progressLine, RateMeter } from './progress.ts';

const style = { bar: false, colour: false };
const ended = (completed: number) => someCounts({ completed, ready: 1_000 - completed });

describe('the rate', () => {
  test('is unknown before anything ended', () => {
    const meter = new RateMeter();
    meter.add(ended(0), 0);
    expect(meter.perSecond(5_000)).toBeUndefined();
    expect(meter.etaMs(1_000, 5_000)).toBeUndefined();
  });

  test('counts every end, however it came', () => {
    const meter = new RateMeter();
    meter.add(someCounts({ ready: 100 }), 0);
    meter.add(someCounts({ completed: 10, failed: 5, cancelled: 3, skipped: 2, ready: 80 }), 2_000);
    expect(meter.perSecond(2_000)).toBe(10);
    expect(meter.etaMs(80, 2_000)).toBe(8_000);
  });

  test('follows the last ten seconds', () => {
    const meter = new RateMeter();
    for (let second = 0; second <= 30; second++) meter.add(ended(second * 10), second * 1_000);
    for (let second = 31; second <= 60; second++) meter.add(ended(300 + (second - 30)), second * 1_000);
    expect(meter.perSecond(60_000)).toBeCloseTo(1);
  });

  test('falls while nothing ends', () => {
    const meter = new RateMeter();
    meter.add(ended(0), 0);
    meter.add(ended(100), 1_000);
    expect(meter.perSecond(1_000)).toBe(100);
    expect(meter.perSecond(10_000)).toBe(10);
  });

  test('begins anew when a retry takes ends back', () => {
    const meter = new RateMeter();
    meter.add(ended(0), 0);
    meter.add(ended(1_000), 1_000);
    meter.add(ended(900), 2_000);
    expect(meter.perSecond(2_000)).toBeUndefined();
    meter.add(ended(950), 3_000);
    expect(meter.perSecond(3_000)).toBe(50);
  });

  test('keeps few samples of many deltas', () => {
    const meter = new RateMeter();
    for (let i = 0; i < 100_000; i++) meter.add(ended(0), i);
    expect(JSON.stringify(meter).length).toBeLessThan(10_000);
  });
});

describe('the line', () => {
  test('says what there is to say', () => {
    const meter = new RateMeter();
    meter.add(someCounts({ ready: 1_000 }), 0);
    const counts = someCounts({ completed: 395, failed: 5, running: 2, ready: 598 });
    meter.add(counts, 10_000);
    const delta = aDelta(aJob({ size: 1_000, state: 'running', counts, retried: 3 }));
    expect(progressLine(delta, meter, 10_000, style)).toBe(
      'job 12  400/1,000, 2 running, 5 failed, 3 retried, 40/s, 15.0s left',
    );
    expect(progressLine(delta, meter, 10_000, { bar: true, colour: false })).toContain(
      'job 12  ━━━━━━━━────────────  400/1,000',
    );
  });

  test('says why nothing happens', () => {
    const delta = aDelta(aJob({ state: 'held' }));
    expect(progressLine(delta, new RateMeter(), 0, style)).toBe('job 12  0/10, held');
  });

  test('gives no rate once all has ended', () => {
    const meter = new RateMeter();
    meter.add(someCounts({ ready: 10 }), 0);
    const counts = someCounts({ completed: 10 });
    meter.add(counts, 1_000);
    const delta = aDelta(aJob({ state: 'completed', counts }));
    expect(progressLine(delta, meter, 1_000, style)).toBe('job 12  10/10');
  });
});
