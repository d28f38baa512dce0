import { expect, test } from 'vitest';
import { didYouMean, nearest } from './nearest.ts';

const verbs = ['submit', 'list', 'status', 'tasks', 'cancel', 'retry', 'requeue', 'release'];

test.each([
  ['submti', 'submit'],
  ['sumbit', 'submit'],
  ['ls', undefined],
  ['lst', 'list'],
  ['stat', 'status'],
  ['re', undefined],
  ['relase', 'release'],
  ['kill', undefined],
  ['', undefined],
  ['x'.repeat(1_000_000), undefined],
])('%.10s is meant as %s', (word, expected) => {
  expect(nearest(word, verbs)).toBe(expected);
});

test('is a question, or nothing', () => {
  expect(didYouMean('arry', ['array', 'after'], '--')).toBe('; did you mean "--array"?');
  expect(didYouMean('zzz', ['array'])).toBe('');
});

test('takes one letter for the beginning of nothing', () => {
  expect(nearest('l', ['list', 'x'])).toBe('x');
  expect(nearest('l', ['list'])).toBeUndefined();
});

test('is the nearest of several, the first of equals', () => {
  expect(nearest('abcdef', ['abxxef', 'abcdxf'])).toBe('abcdxf');
  expect(nearest('abcdef', ['abcdxf', 'abxxef', 'abcxef'])).toBe('abcdxf');
});
