import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findJsonFault } from './json-position.ts';

test.each([
  ['', 1, 1, 'a value', ''],
  ['{"a":1,}', 1, 8, 'a name in double quotes', '}'],
  ['{"a" 1}', 1, 6, '":"', '1}'],
  ['[1,2', 1, 5, '"," or "]"', ''],
  ['{"spec": abc}', 1, 10, 'a value', 'abc}'],
  ['{\n  "a": 1\n  "b": 2\n}', 3, 3, '"," or "}"', '"b": 2\n}'],
  ['[1] x', 1, 5, 'the end', 'x'],
  ['{"a":01}', 1, 7, '"," or "}"', '1}'],
  ['["a\nb"]', 1, 4, 'control characters to be escaped in text', '\nb"]'],
  ['["\\x"]', 1, 4, 'an escape like \\n or \\u0041', 'x"]'],
  ['["a', 1, 4, 'a closing double quote', ''],
  ["{'a':1}", 1, 2, 'a name in double quotes', "'a':1}"],
])('%j fails at line %i, column %i', (text, line, column, expected, found) => {
  expect(findJsonFault(text)).toEqual({ line, column, expected, found });
});

test('it agrees with JSON.parse on whole, cut and altered texts', () => {
  const altered = fc
    .tuple(fc.json({ maxDepth: 4 }), fc.nat(), fc.constantFrom('', ',', '"', '}', ']', ':', '\\', '\n', '1', 'e', ' '))
    .map(([text, at, piece]) => {
      const place = at % (text.length + 1);
      return [text.slice(0, place), text.slice(0, place) + piece + text.slice(place + 1), text];
    });
  fc.assert(
    fc.property(altered, (texts) => {
      for (const text of texts) expect(findJsonFault(text) === undefined).toBe(parses(text));
    }),
    { numRuns: 2_000 },
  );
});

test('depth costs no stack', () => {
  expect(findJsonFault('['.repeat(1_000_000))).toMatchObject({ column: 1_000_001 });
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
