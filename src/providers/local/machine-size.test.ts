import { totalmem } from 'node:os';
import { expect, test } from 'vitest';
import { machineMemory, usableMemory } from './machine-size.ts';

test.each([
  ['no limit', 1_000, 0, 900],
  ['no limit, told as a number above all', 1_000, 18_446_744_073_709_552_000, 900],
  ['a lower limit', 1_000, 500, 450],
  ['a limit above what is there', 1_000, 2_000, 900],
])('%s', (_, total, limit, usable) => {
  expect(usableMemory(total, limit)).toBe(usable);
});

test('this machine', () => {
  expect(machineMemory()).toBeGreaterThan(0);
  expect(machineMemory()).toBeLessThan(totalmem());
});
