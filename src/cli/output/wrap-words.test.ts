import { expect, test } from 'vitest';
import { wrapWords } from './wrap-words.ts';

test.each([
  ['', 10, ['']],
  ['as it is', 8, ['as it is']],
  ['one two three', 7, ['one two', 'three']],
  ['one two three', 8, ['one two', 'three']],
  ['a-word-that-is-long and more', 6, ['a-word-that-is-long', 'and', 'more']],
  ['and a-word-that-is-long', 6, ['and', 'a-word-that-is-long']],
  ['→→→ →→→', 3, ['→→→', '→→→']],
])('%j in %d columns', (text, width, lines) => {
  expect(wrapWords(text, width)).toEqual(lines);
});
