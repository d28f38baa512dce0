import { describe, expect, test } from 'vitest';
import { indexOption, narrowed, readJobRef, readRef } from './refs.ts';

test.each([
  ['12', { ref: '12' }],
  ['12_7', { ref: '12', index: '7' }],
  ['12_[1,3-5]', { ref: '12', index: '1,3-5' }],
  ['12_[0-8:2]', { ref: '12', index: '0-8:2' }],
  ['12_*', { ref: '12' }],
  ['fit', { ref: 'fit' }],
  ['fit-20261121-ab12cd', { ref: 'fit-20261121-ab12cd' }],
])('%s names %j', (text, expected) => {
  expect(readRef('cancel', text)).toEqual(expected);
});

test('a reference that is none says at which place, and for which verb', () => {
  expect(() => readRef('cancel', '12_[1')).toThrow(/^cancel: job, column 6: .*\n {2}12_\[1\n {7}\^$/);
});

test('indices after a name: how to write it', () => {
  expect(() => readRef('cancel', 'slow_[5-9]')).toThrow(
    'cancel: expected a number before indices, as 12_[5-9], or slow with --index 5-9, found "slow_[5-9]"',
  );
});

describe('--index', () => {
  test('takes a number alone as an index, not as a size', () => {
    expect(indexOption.parse('5', '--index')).toBe('5');
    expect(indexOption.parse('007,1-3,2', '--index')).toBe('1-3,7');
  });

  test('narrows a whole job, and is refused beside tasks', () => {
    expect(narrowed('hold', { ref: '12' }, '1-3')).toEqual({ ref: '12', index: '1-3' });
    expect(narrowed('hold', { ref: '12', index: '7' }, undefined)).toEqual({ ref: '12', index: '7' });
    expect(() => narrowed('hold', { ref: '12', index: '7' }, '1')).toThrow(
      'hold: expected a whole job with --index, found tasks of job 12',
    );
  });
});

test('readJobRef refuses a task', () => {
  expect(readJobRef('wait', '12')).toBe('12');
  expect(() => readJobRef('wait', '12_3')).toThrow('wait: expected a whole job, as 12 or a name, found "12_3"');
});
