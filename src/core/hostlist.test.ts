import { expect, test } from 'vitest';
import { formatCounts, formatHostlist } from './hostlist.ts';

test.each([
  [[], ''],
  [['n1'], 'n1'],
  [['n1', 'n2', 'n3', 'n5', 'm5', 'host'], 'n[1-3,5],m5,host'],
  [['n08', 'n09', 'n10'], 'n[08-10]'],
  [['n9', 'n10', 'n010'], 'n[9-10,010]'],
  [['7', '8'], '[7-8]'],
  [['a b', 'a b'], 'a b,a b'],
])('%j as a list of hosts', (names, text) => {
  expect(formatHostlist(names)).toBe(text);
});

test.each([
  [[3, 1, 1], '3,1(x2)'],
  [[2, 2], '2(x2)'],
  [[1, 2, 1], '1,2,1'],
  [[], ''],
])('%j counts', (counts, text) => {
  expect(formatCounts(counts)).toBe(text);
});
