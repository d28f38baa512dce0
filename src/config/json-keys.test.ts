import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findJsonNameTwice, findJsonValue } from './json-keys.ts';

test.each([
  ['{"a": [1, {"b": 2}]}', ['a', 1, 'b'], 16],
  ['{"a": [1, {"b": 2}]}', ['a', 1], 10],
  ['{"a": [1, {"b": 2}]}', ['a', 5, 'b'], 6],
  ['{"a": {}, "b": []}', ['b'], 15],
  ['{"x\\"[,": 1, "\\u0061": 7}', ['a'], 23],
  ['[[], [[]], 3]', [2], 11],
  ['[1]', [], undefined],
  ['{"a": 1}', ['b'], undefined],
])('%s %j', (text, keys, at) => {
  expect(findJsonValue(text, keys)).toBe(at);
});

test('it finds every value of a text', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(undefined, 1), (value, indent) => {
      // A name that is there twice would be another text.
      const text = JSON.stringify(value, undefined, indent);
      const visit = (inner: unknown, keys: readonly (string | number)[]): void => {
        if (keys.length > 0) expect(text.slice(findJsonValue(text, keys)!).startsWith(begin(inner))).toBe(true);
        if (typeof inner !== 'object' || inner === null) return;
        const isList = Array.isArray(inner);
        for (const [name, each] of Object.entries(inner)) visit(each, [...keys, isList ? Number(name) : name]);
      };
      visit(value, []);
      expect(findJsonNameTwice(text)).toBeUndefined();
    }),
  );
});

function begin(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return Array.isArray(value) ? '[' : '{';
}

test('a name that is there twice', () => {
  expect(findJsonNameTwice('[{"a": 1}, {"a": {"b": 1}, "b": 2}]')).toBeUndefined();
  expect(findJsonNameTwice('[{"a": 1, "\\u0061": 2}]')).toEqual({ at: 10, name: 'a' });
  expect(findJsonNameTwice('{"__proto__": 1, "toString": 2, "__proto__": 3}')).toEqual({ at: 32, name: '__proto__' });
});

test('names and texts of millions of characters, and of escapes, use up no stack', () => {
  for (const piece of ['\n', '"']) {
    const long = piece.repeat(4_000_000);
    const text = JSON.stringify({ a: long, b: 1 });
    expect(findJsonNameTwice(text)).toBeUndefined();
    expect(findJsonValue(text, ['b'])).toBe(text.length - 2);
  }
});
