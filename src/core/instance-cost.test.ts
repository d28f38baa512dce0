import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  costOf,
  forecastCost,
  lastsMs,
  monthOf,
  monthStart,
  savedPercent,
  shownRate,
  shownUsd,
} from './instance-cost.ts';

const HOUR = 3_600_000;

describe('the cost of an instance', () => {
  it('is time by rate', () => {
    expect(costOf(HOUR / 2, 0.0104)).toBeCloseTo(0.0052);
    expect(costOf(0, 1)).toBe(0);
  });

  it('tells how long money lasts', () => {
    expect(lastsMs(1, 2)).toBe(HOUR / 2);
    expect(lastsMs(-1, 2)).toBe(0);
    expect(lastsMs(1, 0)).toBe(Number.POSITIVE_INFINITY);
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 1e6, noNaN: true }),
        fc.double({ min: 0.001, max: 100, noNaN: true }),
        (usd, rate) => {
          expect(costOf(lastsMs(usd, rate), rate)).toBeCloseTo(usd, 4);
        },
      ),
    );
  });

  it('is forecast to the end of every TTL', () => {
    const ended = { ranMs: HOUR, rate: 1, live: false, ttlLeftMs: undefined };
    expect(forecastCost([ended, { ranMs: HOUR, rate: 2, live: true, ttlLeftMs: HOUR }])).toBe(5);
    expect(forecastCost([{ ranMs: HOUR, rate: 2, live: true, ttlLeftMs: -5 }])).toBe(2);
    expect(forecastCost([ended, { ranMs: HOUR, rate: 2, live: true, ttlLeftMs: undefined }])).toBeUndefined();
    expect(forecastCost([])).toBe(0);
  });

  it('says what spot saves', () => {
    expect(savedPercent(1, 0.4)).toBe(60);
    expect(savedPercent(1, 2)).toBe(0);
    expect(savedPercent(0, 0)).toBe(0);
  });
});

describe('the month', () => {
  const november = Date.UTC(2026, 10, 30, 23, 59, 59);

  it('is that of UTC', () => {
    expect(monthOf(november)).toBe('2026-11');
    expect(monthOf(november + 1_000)).toBe('2026-12');
    expect(monthStart(november)).toBe(Date.UTC(2026, 10, 1));
  });
});

it.each([
  [0, '$0.00'],
  [0.0104, '$0.0104'],
  [0.1, '$0.10'],
  [0.0001, '$0.0001'],
  [0.000012, '$0.000012'],
  [1_234.5, '$1,234.50'],
  [1_234_567, '$1,234,567.00'],
  [-3, '-$3.00'],
])('%d is shown as %s', (usd, text) => expect(shownUsd(usd)).toBe(text));

it.each([
  [0.1008, '$0.1008'],
  [0.08925, '$0.08925'],
  [0.004551, '$0.004551'],
  [1.5, '$1.50'],
  [2, '$2.00'],
])('the rate %d is shown as %s', (usd, text) => expect(shownRate(usd)).toBe(text));
