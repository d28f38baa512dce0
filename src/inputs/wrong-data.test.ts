import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutInput, encode } from '../../test/support/cut-input.ts';
import { isSpawnError } from '../core/errors.ts';
import { parsePath } from './records/json-path.ts';

type Spec = Readonly<Record<string, unknown>>;
type Data = Uint8Array | string;

const ROWS = { rows: 2 };

async function messageOf(spec: Spec, data: Data | Readonly<Record<string, Data>>, chunk?: number): Promise<string> {
  const files = typeof data === 'string' || data instanceof Uint8Array ? { f: data } : data;
  return cutInput(spec, files, chunk).then(
    () => 'no error',
    (error: Error) => (isSpawnError(error) ? error.message : `not a SpawnError: ${error.stack}`),
  );
}

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

const CASES: readonly (readonly [name: string, spec: Spec, data: Data | Record<string, Data>, message: string])[] = [
  ['an empty file', { type: 'text' }, '', 'input text: expected at least one record, found none in 1 sources'],
  ['empty files of bytes', { type: 'binary' }, '', 'input binary: expected at least one byte, found none in 1 sources'],
  [
    'only a byte order mark',
    { type: 'text' },
    '\ufeff',
    'input text: expected at least one record, found none in 1 sources',
  ],
  [
    'a header and nothing else',
    { type: 'csv' },
    'a,b\n\n',
    'input csv: expected at least one record, found none in 1 sources',
  ],
  [
    'only blank lines',
    { type: 'jsonl' },
    '\n \n',
    'input jsonl: expected at least one record, found none in 1 sources',
  ],
  ['an empty array', { type: 'json' }, ' [ ] ', 'input json: expected at least one record, found none in 1 sources'],
  ['an empty document', { type: 'json' }, '', 'f:1:1: expected a value, found the end of the file'],
  [
    'a range that goes the other way',
    { type: 'range', first: 2, last: 1 },
    {},
    'input range: expected at least one item, found none',
  ],
  [
    'a range without a step',
    { type: 'range', first: 1, last: 2, step: 0 },
    {},
    'input.step: expected a number that is not 0, found 0',
  ],
  [
    'a byte that is no UTF-8',
    { type: 'text', cut: ROWS },
    bytes('one\ntw', [0xff], 'o\n'),
    'f:2:3: expected utf-8, found the byte 0xff',
  ],
  [
    'the same in a part that was not looked at',
    { type: 'text' },
    bytes('one\ntw', [0xff], 'o\n'),
    'f:2:3: expected utf-8, found the byte 0xff',
  ],
  [
    'a character cut off at the end',
    { type: 'text', cut: ROWS },
    bytes('é\né', [0xc3]),
    'f:2:2: expected utf-8, found the end inside a character',
  ],
  [
    'a character cut off in a line',
    { type: 'text', cut: ROWS },
    bytes('a', [0xe2, 0x82], '\nb'),
    'f:1:2: expected utf-8, found the byte 0x0a',
  ],
  [
    'a surrogate in UTF-8',
    { type: 'text', cut: ROWS },
    bytes('a', [0xed, 0xa0, 0x80]),
    'f:1:2: expected utf-8, found the byte 0xa0',
  ],
  [
    'a character in too many bytes',
    { type: 'text', cut: ROWS },
    bytes([0xc0, 0xaf]),
    'f:1:1: expected utf-8, found the byte 0xc0',
  ],
  [
    'half a pair of UTF-16',
    { type: 'text', encoding: 'utf-16le', cut: ROWS },
    bytes([0x61, 0, 10, 0, 0x62, 0, 0, 0xd8, 0x63, 0]),
    'f:2:2: expected utf-16le, found half a surrogate pair, 0xd800',
  ],
  [
    'half a unit of UTF-16',
    { type: 'text', encoding: 'utf-16be' },
    bytes([0, 0x61, 0]),
    'f: byte 2: expected whole characters of utf-16be, found half of one at the end',
  ],
  [
    'another byte order mark',
    { type: 'text', encoding: 'utf-8' },
    encode('a', 'utf-16le', true),
    'f: expected utf-8, found the byte order mark of utf-16le',
  ],
  [
    'a mark where none can be',
    { type: 'csv', encoding: 'latin1' },
    '\ufeffa\n1',
    'f: expected latin1, found the byte order mark of utf-8',
  ],
  [
    'UTF-32',
    { type: 'text' },
    bytes([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]),
    'f: expected utf-8, utf-16le, utf-16be or latin1, found the byte order mark of UTF-32',
  ],
  [
    'a row with too many fields',
    { type: 'csv', cut: ROWS },
    'a,b\n1,2\n"x\ny",4\n5,6,7\n',
    'f:5:1: expected 2 fields, found 3',
  ],
  ['a row with too few', { type: 'csv', cut: ROWS }, 'a,b\n1,2\n\n3\n', 'f:4:1: expected 2 fields, found 1'],
  [
    'an uneven row without a header',
    { type: 'csv', header: false, cut: ROWS },
    '1\n2,3\n',
    'f:2:1: expected 1 field, found 2',
  ],
  [
    'an uneven row in a part that was not looked at',
    { type: 'csv' },
    'a,b\n1,2\n3\n',
    'f:3:1: expected 2 fields, found 1',
  ],
  [
    'a quote that is never closed',
    { type: 'csv', cut: ROWS },
    'a,b\n1,"x\n2,y\n',
    'f:2:3: expected a closing quote, found the end of the file',
  ],
  [
    'the same, with bad rows left out',
    { type: 'csv', bad: 'skip', cut: ROWS },
    'a,b\n0,0\n1,"x\n2,y\n',
    'f:3:3: expected a closing quote, found the end of the file',
  ],
  [
    'a quote never closed in the header',
    { type: 'csv' },
    'a,"b\n1,2\n',
    'f:1:3: expected a closing quote, found the end of the file',
  ],
  [
    'more behind a closing quote',
    { type: 'csv', cut: ROWS },
    'a,b\n"x"y,2\n',
    'f:2:4: expected a delimiter or line end after a closing quote, found "y,2"',
  ],
  [
    'a column named twice',
    { type: 'csv' },
    'a,b,a\n1,2,3\n',
    'f:1:1: expected a name of its own for every column, found "a" twice',
  ],
  [
    'a group that is no column',
    { type: 'csv', cut: { group: 'c' } },
    'a,b\n1,2\n',
    'input.cut.group: expected one of the columns a, b, found "c"',
  ],
  [
    'a group that is no number of a column',
    { type: 'csv', header: false, cut: { group: 'a' } },
    '1,2\n',
    'input.cut.group: expected the number of a column, from 1, found "a"',
  ],
  [
    'files of other columns in one group',
    { type: 'csv', cut: { group: 'a' } },
    { f: 'a,b\n1,2\n', g: 'a,c\n1,2\n' },
    'g:1:1: expected the columns a, b, as in f, with which it shares parts, found a, c',
  ],
  [
    'files of other encodings in one part',
    { type: 'text', cut: { files: 2 } },
    { f: 'a\n', g: encode('b', 'utf-16be', true) },
    'g: expected utf-8, as in f, with which it shares parts, found utf-16be',
  ],
  [
    'a delimiter with a quote in it',
    { type: 'csv', delimiter: '",' },
    'a\n1\n',
    'input.delimiter: expected characters of utf-8 without line ends and quotes, found "\\","',
  ],
  [
    'a quote of two bytes',
    { type: 'csv', quote: '«' },
    'a\n1\n',
    'input.quote: expected a character that is one byte in utf-8, found "«"',
  ],
  [
    'broken JSON in the middle',
    { type: 'jsonl', cut: ROWS },
    '1\n{"a": 1,}\n3\n',
    'f:2:9: expected a name in double quotes, found "}"',
  ],
  [
    'JSON cut off in a line',
    { type: 'jsonl', cut: ROWS },
    '1\n{"a": [1\n3\n',
    'f:2:9: expected the rest of a JSON value, found the end of the line',
  ],
  ['two values in a line', { type: 'jsonl', cut: ROWS }, '1 2\n', 'f:1:3: expected the end of the line, found "2"'],
  [
    'the same in a part that was not looked at',
    { type: 'jsonl' },
    '1\n1 2\n',
    'f:2:3: expected the end of the line, found "2"',
  ],
  [
    'a line of no JSON',
    { type: 'jsonl', cut: ROWS },
    "{'a': 1}\n",
    'f:1:2: expected a name in double quotes, found "\'a\': 1}"',
  ],
  [
    'NUL in JSON',
    { type: 'jsonl', cut: ROWS },
    '1\n"a\0b"\n',
    'f:2:3: expected a closing quote, or a control character to be escaped, found "\\u0000b\\""',
  ],
  ['NaN', { type: 'jsonl', cut: ROWS }, 'NaN\n', 'f:1:1: expected a value, found "NaN"'],
  ['a wrong number', { type: 'jsonl', cut: ROWS }, '[1, 01]\n', 'f:1:6: expected "," or "]", found "1]"'],
  [
    'a wrong escape',
    { type: 'jsonl', cut: ROWS },
    '"a\\x"\n',
    'f:1:3: expected an escape like \\n or \\u0041, found "\\\\x\\""',
  ],
  [
    'brackets that nest too deep',
    { type: 'jsonl', cut: ROWS },
    `${'['.repeat(10_001)}\n`,
    'f:1:10001: expected at most 10000 open brackets, found "["',
  ],
  ['no array', { type: 'json' }, '{"a": []}', 'f:1:1: expected an array, found an object'],
  [
    'no array at a path',
    { type: 'json', at: 'a.b' },
    '{"a": {"b": "x"}}',
    'f:1:13: expected an array at a.b, found a text',
  ],
  [
    'a path through a number',
    { type: 'json', at: 'a.b' },
    '{"a": 3}',
    'f:1:7: expected an object or array at a, found a number',
  ],
  ['a path into a text', { type: 'json', at: 'a' }, '"x"', 'f:1:1: expected an object or array, found a text'],
  [
    'a path that is not there',
    { type: 'json', at: 'a.c' },
    '{"a": {"b": [], "d": 1}}',
    'f:1:23: expected "c" at a, found "b", "d"',
  ],
  ['an item that is not there', { type: 'json', at: '3' }, '[[1], [2]]', 'f:1:10: expected "3", found 2 items'],
  ['a broken item', { type: 'json', cut: ROWS }, '[1,\n 2, {"a" 3}]', 'f:2:10: expected ":", found "3}]"'],
  ['a missing comma', { type: 'json', cut: ROWS }, '[1\n 2]', 'f:2:2: expected "," or "]", found "2]"'],
  ['a comma before the end', { type: 'json' }, '[1, ]', 'f:1:5: expected a value, found "]"'],
  ['an array that does not end', { type: 'json' }, '[1, 2', 'f:1:6: expected "," or "]", found the end of the file'],
  [
    'an item that does not end',
    { type: 'json' },
    '[1, {"a": "b',
    'f:1:13: expected the rest of a value, found the end of the file',
  ],
  ['more behind the array', { type: 'json' }, '[1] [2]', 'f:1:5: expected the end of the file, found "[2]"'],
  [
    'a broken document behind the array',
    { type: 'json', at: 'a' },
    '{"a": [1], "b": }',
    'f:1:17: expected a value, found "}"',
  ],
  [
    'a broken document before the array',
    { type: 'json', at: 'a' },
    '{"b": nul, "a": [1]}',
    'f:1:7: expected a value, found "nul, \\"a\\": [1]}"',
  ],
  [
    'no UTF-8 behind the array',
    { type: 'json', at: 'a' },
    bytes('{"a": [1], "b": "', [0xff], '"}'),
    'f:1:18: expected utf-8, found the byte 0xff',
  ],
  [
    'a field that is not there',
    { type: 'jsonl', cut: { group: 'a.b' } },
    '{"a": {"b": 1}}\n{"a": 2}\n',
    'f:2:1: expected a field a.b, found none',
  ],
  [
    'a field that is an object',
    { type: 'jsonl', cut: { group: 'a' } },
    '{"a": {}}\n',
    'f:1:1: expected a text, number, true, false or null in a, found an object',
  ],
  [
    'half a record of bytes',
    { type: 'binary', recordBytes: 4 },
    'abcdef',
    'f: byte 4: expected whole records of 4 bytes, found 2 bytes at the end',
  ],
  [
    'rows of bytes of no size',
    { type: 'binary', cut: ROWS },
    'abcdef',
    'input.recordBytes: expected the bytes of a record, to cut by rows, found nothing',
  ],
  [
    'rows of files',
    { type: 'files', cut: ROWS },
    'a',
    'input.cut: expected files, bytes or tasks for type files, found "rows"',
  ],
  [
    'a group of lines',
    { type: 'text', cut: { group: 'a' } },
    'a',
    'input.cut: expected files, rows, bytes or tasks for type text, found "group"',
  ],
  [
    'files of a list',
    { type: 'list', items: [1], cut: { files: 1 } },
    {},
    'input.cut: expected rows or tasks for type list, found "files"',
  ],
];

describe('data that is not what its input says', () => {
  it.each(CASES)('%s', async (_, spec, data, message) => {
    expect(await messageOf(spec, data)).toBe(message);
    // Of a source that comes byte by byte less is there to be shown.
    const [upTo] = message.split(', found');
    expect((await messageOf(spec, data, 1)).startsWith(upTo!)).toBe(true);
  });

  it('ends a plan of too many parts', async () => {
    const lines = 'x\n'.repeat(11);
    await expect(
      cutInput({ type: 'text', cut: { rows: 1 } }, { f: lines }, undefined, { maxParts: 10 }),
    ).rejects.toThrow('input text, cut: expected at most 10 parts, found more; cut it into larger ones');
    await expect(
      cutInput({ type: 'csv', cut: { group: 'x' } }, { f: 'x\n1\n2\n3\n' }, undefined, { maxParts: 2 }),
    ).rejects.toThrow('input.cut.group: expected at most 2 values, found more; group by another column');
    const wide = { type: 'range', first: 1, last: 1e12 };
    await expect(cutInput(wide, {})).rejects.toThrow('input range, cut: expected at most 1000000 parts, found more');
  });
});

describe('bad records', () => {
  const TABLE = 'a,b\n1,2\n3\n4,5\n"x"y,6\n7,8\n';

  it('are left out and listed with their places', async () => {
    const {
      manifest,
      records,
      blobs,
      bytes: parts,
    } = await cutInput({ type: 'csv', bad: 'skip', cut: ROWS }, { f: TABLE });
    expect(records).toEqual([
      [
        { a: '1', b: '2' },
        { a: '4', b: '5' },
      ],
      [{ a: '7', b: '8' }],
    ]);
    expect(parts.map(String)).toEqual(['a,b\n1,2\n4,5\n', 'a,b\n7,8\n']);
    expect(manifest.leftOut?.count).toBe(2);
    const list = Buffer.from(await blobs.get(manifest.leftOut!.list!)).toString();
    expect(
      list
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { uri: 'f', from: 8, to: 10, line: 3, column: 1, expected: '2 fields', found: '1' },
      {
        uri: 'f',
        from: 14,
        to: 21,
        line: 5,
        column: 4,
        expected: 'a delimiter or line end after a closing quote',
        found: '"y,6"',
      },
    ]);
  });

  it('are refused when they are more than was said', async () => {
    const spec = { type: 'csv', bad: { to: 'bad.jsonl', max: 1 }, cut: ROWS };
    expect(await messageOf(spec, TABLE)).toBe(
      'f: expected at most 1 bad records, found one more; line 5, column 4: expected a delimiter or line end after a closing quote, found "y,6"',
    );
    expect(await messageOf({ ...spec, bad: { to: 'bad.jsonl', max: 2 } }, TABLE)).toBe('no error');
  });

  it('are told when nothing else is there', async () => {
    expect(await messageOf({ type: 'jsonl', bad: 'skip' }, '{\n]\n')).toBe(
      'input jsonl: expected at least one record, found none in 1 sources; 2 bad ones were left out',
    );
  });

  it('are left out of lines, JSON lines and arrays, at each border of a part', async () => {
    const text = await cutInput(
      { type: 'text', bad: 'skip', cut: { rows: 1 } },
      { f: bytes('a\n', [0xff], '\nb\n', [0xfe]) },
    );
    expect(text.records).toEqual([['a'], ['b']]);
    const lines = await cutInput({ type: 'jsonl', bad: 'skip', cut: { bytes: 4 } }, { f: '}\n1\n2\n{\n3\n4\n"\n' }, 3);
    expect(lines.records).toEqual([[1], [2, 3], [4]]);
    const array = await cutInput(
      { type: 'json', bad: 'skip', cut: { rows: 2 } },
      { f: '[{"a" 1}, 2, [1,], 3, {"x": tru}, 4]' },
      3,
    );
    expect(array.records).toEqual([[2, 3], [4]]);
    expect(array.bytes.map(String)).toEqual(['2\n3\n', '4\n']);
  });

  it('keep their rows with `uneven: keep`', async () => {
    const { records } = await cutInput({ type: 'csv', uneven: 'keep', cut: { rows: 9 } }, { f: 'a,b\n1\n2,3,4\n' });
    expect(records).toEqual([[{ a: '1' }, { a: '2', b: '3', '3': '4' }]]);
  });
});

describe('anything at all', () => {
  it('is cut or refused, and what is cut can be read', async () => {
    const sample = fc.constantFrom(
      '{"a":[1,{"b":"c"}]}',
      '[1,2,{"a":"b,]"}]',
      'a,b\n"1",2\n',
      'é\n',
      '\ufeff',
      '"',
      '\r\n',
      '\0',
      '[',
      '}',
      ',',
      '\\u00e9',
    );
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 6 }).map((list) => Buffer.from(list)),
      sample.map((text) => Buffer.from(text)),
    );
    const cases = fc.record({
      data: fc.array(noise, { maxLength: 12 }).map((list) => Buffer.concat(list)),
      type: fc.constantFrom('text', 'csv', 'json', 'jsonl', 'binary', 'files'),
      encoding: fc.constantFrom(undefined, 'utf-8', 'utf-16le', 'utf-16be', 'latin1'),
      bad: fc.constantFrom('fail', 'skip'),
      cut: fc.constantFrom(
        undefined,
        { rows: 1 },
        { bytes: 3 },
        { tasks: 3 },
        { files: 2 },
        { group: 'a' },
        { group: '1' },
      ),
      at: fc.constantFrom(undefined, 'a', 'a.1.b'),
      chunk: fc.constantFrom(1, 5, 1000),
      seekFromBytes: fc.constantFrom(1, 1000),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ data, type, encoding, bad, cut, at, chunk, seekFromBytes }) => {
        const isText = type !== 'binary' && type !== 'files';
        const spec = { type, cut, ...(isText ? { encoding, bad } : {}), ...(type === 'json' ? { at } : {}) };
        const made = await cutInput(spec, { f: data, g: data }, chunk, { seekFromBytes }).catch((error) => {
          if (!isSpawnError(error)) throw error;
          return undefined;
        });
        for (const part of made?.records ?? []) expect(part.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});

it('reads the path of an array', () => {
  expect(parsePath(undefined)).toEqual([]);
  expect(parsePath('a.0.b\\.c')).toEqual(['a', '0', 'b.c']);
});
