import { expect, test } from 'vitest';
import { nextExchangeAt } from './flush.ts';

const quiet = {
  lastSentMs: 1_000,
  heartbeatMs: 10_000,
  urgent: false,
  hasEnds: false,
  hungry: false,
  oldestStartMs: undefined,
};
const AT_ONCE = Number.NEGATIVE_INFINITY;

test.each([
  ['nothing to say: a heartbeat', {}, 11_000],
  ['what must not wait', { urgent: true }, AT_ONCE],
  ['ends share an exchange with others', { hasEnds: true }, 1_010],
  ['ends while nothing is left to run', { hasEnds: true, hungry: true }, AT_ONCE],
  ['hunger alone says nothing', { hungry: true }, 11_000],
  ['a start waits for its end', { oldestStartMs: 2_000 }, 2_025],
  ['a start right after an exchange', { oldestStartMs: 980 }, 1_010],
  ['a start and an end', { oldestStartMs: 2_000, hasEnds: true }, 1_010],
  ['progress, as soon as it may be told', { progressAtMs: 1_700 }, 1_700],
  ['progress right after an exchange', { progressAtMs: AT_ONCE }, 1_010],
  ['a heartbeat comes before a long wait', { heartbeatMs: 5, hasEnds: true }, 1_005],
])('%s', (_, changes, at) => {
  expect(nextExchangeAt({ ...quiet, ...changes })).toBe(at);
});
