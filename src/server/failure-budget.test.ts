import { expect, test } from 'vitest';
import { FailureBudget } from './failure-budget.ts';

function budget(failures = 3) {
  const clock = { now: 0 };
  return { clock, budget: new FailureBudget({ failures, windowMs: 60_000, now: () => clock.now }) };
}

test('after so many failures in a window the rest of it must be waited for', () => {
  const { clock, budget: of } = budget();
  expect([1, 2, 3].map(() => of.fail('10.0.0.1').waitMs)).toEqual([0, 0, 0]);
  clock.now = 20_000;
  expect(of.fail('10.0.0.1')).toEqual({ count: 4, waitMs: 40_000 });
  expect(of.fail('10.0.0.2').waitMs).toBe(0);
  clock.now = 60_000;
  expect(of.fail('10.0.0.1')).toEqual({ count: 1, waitMs: 0 });
});

test('one network is one address, however it is written', () => {
  const { budget: of } = budget(1);
  of.fail('10.0.0.1');
  expect(of.fail('::ffff:10.0.0.1').count).toBe(2);
  of.fail('2001:db8:1:2::1');
  expect(of.fail('2001:db8:1:2:ffff:1:2:3').count).toBe(2);
  expect(of.fail('2001:db8:1:3::1').count).toBe(1);
  expect(of.fail('fe80::1%eth0').count).toBe(1);
  expect(of.fail('::1').count).toBe(1);
});

test('it remembers no more than so many', () => {
  const { budget: of } = budget(1);
  for (let i = 0; i < 10_050; i++) of.fail(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  expect(of.size).toBe(10_000);
  expect(of.fail('10.0.0.0').count).toBe(1);
  expect(of.fail('10.0.39.65').count).toBe(2);
});
