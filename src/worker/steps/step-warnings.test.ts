import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StepWarnings } from './step-warnings.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  const sent: string[] = [];
  const warnings = new StepWarnings((fence, signal) => sent.push(`${fence}:${signal}`));
  return { sent, warnings };
}

test('once, so long before the time limit, also when that changes', () => {
  const { sent, warnings } = setUp();
  warnings.started(1, 60_000, { number: 10, beforeMs: 20_000 });
  warnings.started(2, 60_000, { number: 12, beforeMs: 20_000 });
  warnings.limit(2, 120_000);
  vi.advanceTimersByTime(39_999);
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(sent).toEqual(['1:10']);
  warnings.limit(1, 90_000);
  vi.advanceTimersByTime(60_000);
  expect(sent).toEqual(['1:10', '2:12']);
});

test('not for what has ended or has no limit, and of long ones in time', () => {
  const { sent, warnings } = setUp();
  const days = 40 * 86_400_000;
  warnings.started(1, 60_000, { number: 10, beforeMs: 20_000 });
  warnings.ended(1);
  warnings.started(2, 60_000, { number: 10, beforeMs: 20_000 });
  warnings.limit(2, 0);
  warnings.started(3, days, { number: 10, beforeMs: 1_000 });
  warnings.limit(4, 5_000);
  vi.advanceTimersByTime(days - 2_000);
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(1_000);
  expect(sent).toEqual(['3:10']);
});

test('later by as long as the attempt stood still', () => {
  const { sent, warnings } = setUp();
  warnings.started(1, 60_000, { number: 10, beforeMs: 20_000 });
  vi.advanceTimersByTime(30_000);
  warnings.suspend(1, true);
  warnings.suspend(1, true);
  vi.advanceTimersByTime(100_000);
  warnings.limit(1, 70_000);
  vi.advanceTimersByTime(100_000);
  expect(sent).toEqual([]);
  warnings.suspend(1, false);
  warnings.suspend(1, false);
  warnings.suspend(2, true);
  vi.advanceTimersByTime(19_999);
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(sent).toEqual(['1:10']);
});
