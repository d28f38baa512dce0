import { expect, test } from 'vitest';
import { paramText, paramVariables, readParamLine } from './params.ts';

test.each<[unknown, string | undefined]>([
  ['1e-3', '1e-3'],
  ['', ''],
  [0.5, '0.5'],
  [true, 'true'],
  [[1, 'a'], '[1,"a"]'],
  [{ a: 1 }, '{"a":1}'],
  [null, undefined],
  [undefined, undefined],
])('the text of %j is %j', (value, text) => {
  expect(paramText(value)).toBe(text);
});

test('each that has a value is a variable', () => {
  expect(paramVariables({ lr: '1e-3', none: null, deep: [1] })).toEqual(['PARAM_lr=1e-3', 'PARAM_deep=[1]']);
});

test('a line is an object of names', () => {
  expect(readParamLine('{"lr":"1e-3","_n2":7}')).toEqual({ lr: '1e-3', _n2: 7 });
  for (const [line, why] of [
    ['[1]', 'no object'],
    ['7', 'no object'],
    ['null', 'no object'],
    ['{"a b":1}', '"a b" is no name'],
    [`{"${'n'.repeat(129)}":1}`, 'is no name'],
    ['{"a":"\\u0000"}', 'holds a NUL'],
    ['{', 'JSON'],
  ] as const) {
    expect(() => readParamLine(line)).toThrow(why);
  }
});
