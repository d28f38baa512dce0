import { describe, expect, it } from 'vitest';
import { bytes, messageOf, type WrongCase } from '../../test/support/cut-input.ts';
import { parsePath } from './records/json-path.ts';

const ROWS = { rows: 2 };

// biome-ignore format: a case a line
const CASES: readonly WrongCase[] = [
  ['only blank lines', { type: 'jsonl' }, '\n \n', 'input jsonl: expected at least one record, found none in 1 sources'],
  ['an empty array', { type: 'json' }, ' [ ] ', 'input json: expected at least one record, found none in 1 sources'],
  ['an empty document', { type: 'json' }, '', 'f:1:1: expected a value, found the end of the file'],
  ['broken JSON in the middle', { type: 'jsonl', cut: ROWS }, '1\n{"a": 1,}\n3\n', 'f:2:9: expected a name in double quotes, found "}"'],
  ['JSON cut off in a line', { type: 'jsonl', cut: ROWS }, '1\n{"a": [1\n3\n', 'f:2:9: expected the rest of a JSON value, found the end of the line'],
  ['two values in a line', { type: 'jsonl', cut: ROWS }, '1 2\n', 'f:1:3: expected the end of the line, found "2"'],
  ['the same in a part that was not looked at', { type: 'jsonl' }, '1\n1 2\n', 'f:2:3: expected the end of the line, found "2"'],
  ['a line of no JSON', { type: 'jsonl', cut: ROWS }, "{'a': 1}\n", 'f:1:2: expected a name in double quotes, found "\'a\': 1}"'],
  ['NUL in JSON', { type: 'jsonl', cut: ROWS }, '1\n"a\0b"\n', 'f:2:3: expected a closing quote, or a control character to be escaped, found "\\u0000b\\""'],
  ['NaN', { type: 'jsonl', cut: ROWS }, 'NaN\n', 'f:1:1: expected a value, found "NaN"'],
  ['a wrong number', { type: 'jsonl', cut: ROWS }, '[1, 01]\n', 'f:1:6: expected "," or "]", found "1]"'],
  ['a wrong escape', { type: 'jsonl', cut: ROWS }, '"a\\x"\n', 'f:1:3: expected an escape like \\n or \\u0041, found "\\\\x\\""'],
  ['brackets that nest too deep', { type: 'jsonl', cut: ROWS }, `${'['.repeat(10_001)}\n`, 'f:1:10001: expected at most 10000 open brackets, found "["'],
  ['no array', { type: 'json' }, '{"a": []}', 'f:1:1: expected an array, found an object'],
  ['no array at a path', { type: 'json', at: 'a.b' }, '{"a": {"b": "x"}}', 'f:1:13: expected an array at a.b, found a text'],
  ['a path through a number', { type: 'json', at: 'a.b' }, '{"a": 3}', 'f:1:7: expected an object or array at a, found a number'],
  ['a path into a text', { type: 'json', at: 'a' }, '"x"', 'f:1:1: expected an object or array, found a text'],
  ['a path that is not there', { type: 'json', at: 'a.c' }, '{"a": {"b": [], "d": 1}}', 'f:1:23: expected "c" at a, found "b", "d"'],
  ['an item that is not there', { type: 'json', at: '3' }, '[[1], [2]]', 'f:1:10: expected "3", found 2 items'],
  ['a broken item', { type: 'json', cut: ROWS }, '[1,\n 2, {"a" 3}]', 'f:2:10: expected ":", found "3}]"'],
  ['a missing comma', { type: 'json', cut: ROWS }, '[1\n 2]', 'f:2:2: expected "," or "]", found "2]"'],
  ['a comma before the end', { type: 'json' }, '[1, ]', 'f:1:5: expected a value, found "]"'],
  ['an array that does not end', { type: 'json' }, '[1, 2', 'f:1:6: expected "," or "]", found the end of the file'],
  ['an item that does not end', { type: 'json' }, '[1, {"a": "b', 'f:1:13: expected the rest of a value, found the end of the file'],
  ['more behind the array', { type: 'json' }, '[1] [2]', 'f:1:5: expected the end of the file, found "[2]"'],
  ['a broken document behind the array', { type: 'json', at: 'a' }, '{"a": [1], "b": }', 'f:1:17: expected a value, found "}"'],
  ['a broken document before the array', { type: 'json', at: 'a' }, '{"b": nul, "a": [1]}', 'f:1:7: expected a value, found "nul, \\"a\\": [1]}"'],
  ['no UTF-8 behind the array', { type: 'json', at: 'a' }, bytes('{"a": [1], "b": "', [0xff], '"}'), 'f:1:18: expected utf-8, found the byte 0xff'],
  ['a field that is not there', { type: 'jsonl', cut: { group: 'a.b' } }, '{"a": {"b": 1}}\n{"a": 2}\n', 'f:2:1: expected a field a.b, found none'],
  ['a field that is an object', { type: 'jsonl', cut: { group: 'a' } }, '{"a": {}}\n', 'f:1:1: expected a text, number, true, false or null in a, found an object'],
];

describe('JSON that is not what its input says', () => {
  it.each(CASES)('%s', async (_, spec, data, message) => {
    expect(await messageOf(spec, data)).toBe(message);
    // Of a source that comes byte by byte less is there to be shown.
    const [upTo] = message.split(', found');
    expect((await messageOf(spec, data, 1)).startsWith(upTo!)).toBe(true);
  });
});

it('reads the path of an array', () => {
  expect(parsePath(undefined)).toEqual([]);
  expect(parsePath('a.0.b\\.c')).toEqual(['a', '0', 'b.c']);
});
