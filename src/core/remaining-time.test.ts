import { expect, it } from 'vitest';
import { remainingMs } from './remaining-time.ts';

const SECOND_US = 1_000_000;

it.each([
  ['nothing left', { left: 0, running: 0, meanWallUs: 0, perSecond: undefined }, 0],
  ['nothing runs', { left: 9, running: 0, meanWallUs: SECOND_US, perSecond: 3 }, undefined],
  ['nothing known', { left: 9, running: 2, meanWallUs: 0, perSecond: undefined }, undefined],
  ['short tasks go by the last minute', { left: 900, running: 2, meanWallUs: SECOND_US, perSecond: 3 }, 300_000],
  ['a rate alone', { left: 900, running: 2, meanWallUs: 0, perSecond: 3 }, 300_000],
  ['long tasks go by their duration', { left: 10, running: 2, meanWallUs: 60 * SECOND_US, perSecond: 3 }, 300_000],
  ['none ended in the last minute', { left: 10, running: 2, meanWallUs: SECOND_US, perSecond: 0 }, 5_000],
] as const)('%s', (_name, progress, expected) => {
  expect(remainingMs(progress)).toBe(expected);
});
