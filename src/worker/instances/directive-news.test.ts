import { expect, test } from 'vitest';
import type { Directive } from '../../api/instance-session.ts';
import { saysMore } from './directive-news.ts';

const last: Directive = { version: 7, wanted: 'running', ttlLeftMs: 50_000, size: 8, peers: 3, done: false };

test.each<[string, Partial<Directive>, boolean]>([
  ['other peers', { peers: 4 }, false],
  ['other peers, said a while later', { peers: 4, ttlLeftMs: 50_300 }, false],
  ['other peers and another deadline', { peers: 4, ttlLeftMs: 90_000 }, true],
  ['other peers and no deadline', { peers: 4, ttlLeftMs: undefined }, true],
  ['other peers and another size', { peers: 4, size: 9 }, true],
  ['other peers and another state', { peers: 4, wanted: 'stopped', reason: 'user' }, true],
  ['other peers and a notice', { peers: 4, interruptInMs: 1_000 }, true],
  ['the same again', {}, true],
])('%s', (_, changes, expected) => {
  expect(saysMore(last, { ...last, version: 8, ...changes }, 50_000)).toBe(expected);
});

test('the same message twice says nothing', () => {
  expect(saysMore(last, last, 50_000)).toBe(false);
});

test('without a deadline', () => {
  const { ttlLeftMs: _, ...endless } = last;
  expect(saysMore(endless, { ...endless, version: 8, peers: 4 }, undefined)).toBe(false);
  expect(saysMore(endless, { ...endless, version: 8, peers: 4, ttlLeftMs: 1 }, undefined)).toBe(true);
});
