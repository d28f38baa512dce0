import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes, cutInput, messageOf } from '../../test/support/cut-input.ts';
import { isSpawnError } from '../core/errors.ts';
import { leftOutRecords } from './open/left-out-records.ts';

const ROWS = { rows: 2 };

describe('bad records', () => {
  const TABLE = 'a,b\n1,2\n3\n4,5\n"x"y,6\n7,8\n';

  it('are left out and listed with their places', async () => {
    const {
      manifest,
      plan,
      sources,
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
      { source: 0, uri: 'f', from: 8, to: 10, line: 3, column: 1, expected: '2 fields', found: '1' },
      {
        source: 0,
        uri: 'f',
        from: 14,
        to: 21,
        line: 5,
        column: 4,
        expected: 'a delimiter or line end after a closing quote',
        found: '"y,6"',
      },
    ]);
    const signal = new AbortController().signal;
    const shown = await Array.fromAsync(leftOutRecords(plan, blobs.get, sources, signal));
    expect(shown.map(({ line, text }) => [line, text])).toEqual([
      [3, '3\n'],
      [5, '"x"y,6\n'],
    ]);
    expect(sources.opened).toBe(0);
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
