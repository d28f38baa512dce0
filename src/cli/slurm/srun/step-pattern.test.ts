import { expect, test } from 'vitest';
import { expandStepPattern, isPerRank } from './step-pattern.ts';

const NAMES = {
  ...{ arrayJob: 5, arrayTask: 17, job: 1_000_000_007, step: 3, rank: 4, node: 1 },
  ...{ host: 'n2', user: 'ada', name: 'a/b' },
};

test.each([
  ['o-%A-%a-%j-%J-%s-%t-%n-%N-%u-%x-%q-%%-%4t', 'o-5-17-1000000007-1000000007.3-3-4-1-n2-ada-a_b-%q-%-0004'],
  ['%b %3a %99t', '7 017 0000000004'],
  ['a\\%t', 'a%t'],
  ['a\\\\b', 'a\\b'],
  ['plain', 'plain'],
])('%s', (pattern, expected) => {
  expect(expandStepPattern(pattern, NAMES)).toBe(expected);
});

test('a name cannot lead elsewhere', () => {
  expect(expandStepPattern('%x', { ...NAMES, name: '..' })).toBe('_');
});

test.each([
  ['%t', true],
  ['x%3n', true],
  ['%N', true],
  ['%j', false],
  ['%%t', false],
  ['\\%t', false],
])('%s is one a rank: %s', (pattern, expected) => {
  expect(isPerRank(pattern)).toBe(expected);
});
