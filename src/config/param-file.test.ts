import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readParamFile } from './param-file.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-params-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function read(name: string, text: string | Uint8Array) {
  const path = join(folder, name);
  writeFileSync(path, text);
  return readParamFile(name, path);
}

async function fault(name: string, text: string | Uint8Array): Promise<string> {
  return read(name, text).then(
    () => 'no error',
    (error: Error & { code?: string }) => `${error.code === 'USAGE' ? '' : `${error.code} `}${error.message}`,
  );
}

const json =
  '{"defaults": {"ttl": "4h", "epochs": 5}, "params": [{"lr": 1e-4, "on": true}, {"lr": 0.10, "epochs": null}]}';
const yaml = 'defaults:\n  ttl: 4h\n  epochs: 5\nparams:\n  - lr: 1e-4\n    on: true\n  - lr: 0.10\n    epochs: ~\n';

describe('sets of parameters', () => {
  test.each([
    ['a.json', json],
    ['a.yaml', yaml],
    ['a.YML', yaml],
    ['without-ending', json],
    ['bom.json', `\uFEFF${json}`],
  ])('%s: values as they were written, null is none', async (name, text) => {
    const { rows, defaults, shared, notes } = await read(name, text);
    expect(rows).toEqual([
      { epochs: '5', lr: '1e-4', on: 'true' },
      { epochs: '5', lr: '0.10' },
    ]);
    expect(defaults.map(({ option, text: said }) => [option, said])).toEqual([['ttl', '4h']]);
    expect({ shared, notes }).toEqual({ shared: [], notes: [] });
  });

  test('a list alone is params', async () => {
    expect((await read('list.json', '[{"a": 1}, {"a": 2}]')).rows).toEqual([{ a: '1' }, { a: '2' }]);
  });

  test('a number beyond what a program can hold keeps its digits', async () => {
    expect((await read('n.json', '[{"id": 12345678901234567890, "x": 1.000}]')).rows).toEqual([
      { id: '12345678901234567890', x: '1.000' },
    ]);
  });

  test('CSV: an empty cell is none, quotes and line ends as in RFC 4180', async () => {
    const text = '\uFEFFlr,name_of_it,seed\r\n0.1,"a, ""b""",1\r\n\r\n,c,2\r\n';
    const { rows } = await read('a.csv', text);
    expect(rows).toEqual([
      { lr: '0.1', name_of_it: 'a, "b"', seed: '1' },
      { name_of_it: 'c', seed: '2' },
    ]);
  });

  test('a grid is every combination, after params', async () => {
    const { rows } = await read('g.yaml', 'params: [{lr: 9}]\ngrid: {b: [1, 2], a: [x, y]}\n');
    expect(rows).toEqual([{ lr: '9' }, { a: 'x', b: '1' }, { a: 'x', b: '2' }, { a: 'y', b: '1' }, { a: 'y', b: '2' }]);
  });

  test('a grid has each combination once', async () => {
    const lists = fc.dictionary(
      fc.stringMatching(/^p[a-z]{0,3}$/),
      fc.uniqueArray(fc.nat(99), { minLength: 1, maxLength: 4 }),
      {
        minKeys: 1,
        maxKeys: 4,
      },
    );
    await fc.assert(
      fc.asyncProperty(lists, async (grid) => {
        const { rows } = await read('p.json', JSON.stringify({ grid }));
        const size = Object.values(grid).reduce((product, { length }) => product * length, 1);
        expect(new Set(rows.map((row) => JSON.stringify(row))).size).toBe(size);
        for (const row of rows) {
          for (const [name, value] of Object.entries(row)) expect(grid[name]?.map(String)).toContain(value);
          expect(Object.keys(row).sort()).toEqual(Object.keys(grid).sort());
        }
      }),
      { numRuns: 30 },
    );
  });

  test('reserved names are options, said alike by all; param: makes a parameter of one', async () => {
    const { rows, shared } = await read('r.json', '[{"ttl": "1h", "param:ttl": 3}, {"ttl": "1h", "param:ttl": 4}]');
    expect(rows).toEqual([{ ttl: '3' }, { ttl: '4' }]);
    expect(shared).toEqual([{ option: 'ttl', text: '1h', where: expect.stringMatching(/^r\.json:1:\d+ \[0\]\.ttl$/) }]);
  });

  test('what means nothing is told', async () => {
    const { notes } = await read('odd.yaml', 'sweep: x\nparams: [{a: 1}]\n');
    expect(notes).toEqual(['odd.yaml:1:8: "sweep" is none of defaults, grid and params: it means nothing']);
  });
});

describe('refused, with file, line and field', () => {
  test.each([
    ['a.json', '{"params": [}', 'a.json:1:13: expected a value, found "}"'],
    ['a.json', '"x"', 'a.json: expected an object with defaults, grid or params, found one value'],
    ['a.json', '{"params": {}}', 'a.json:1:12 params: expected a list, found an object'],
    ['a.json', '{"params": [1]}', 'a.json:1:13 params[0]: expected an object, found one value'],
    ['a.json', '{"params": [{"a": [1]}]}', 'a.json:1:19 params[0].a: expected one value, found a list'],
    ['a.json', '{"params": []}', 'a.json: expected at least one set of parameters under params or grid, found none'],
    ['a.json', '{"ttl": "4h", "params": [{}]}', 'a.json:1:9 ttl: expected it under "defaults", found it beside it'],
    ['a.json', '{"grid": {"a": []}}', 'a.json:1:16 grid.a: expected at least one value, found an empty list'],
    ['a.json', '{"grid": {"a": 3}}', 'a.json:1:16 grid.a: expected a list, found one value'],
    [
      'a.json',
      '[{"my param": 1}]',
      'a.json:1:15 [0].my param: expected a name of letters, digits and "_", no digit first, at most 128 long, found "my param"',
    ],
    ['a.json', '[{"a": 1}, {"b": 1, "b": 2}]', 'a.json:1:21: expected "b" once, found twice'],
    ['a.json', '[{"__proto__": 1}]', 'a.json:1:16 [0].__proto__: expected another name, found "__proto__"'],
    ['a.csv', '__proto__\n1\n', 'a.csv:2 params[0].__proto__: expected another name, found "__proto__"'],
    ['a.json', '[{"a": "x\\ny"}]', 'a.json:1:8 [0].a: expected one line, found a line break or NUL in it'],
    ['a.json', '[{"a": "\\ud800"}]', 'a.json:1:8 [0].a: expected text, found half a surrogate pair'],
    [
      'a.yaml',
      'defaults: {budget: 5}\n',
      'a.yaml:1:20 defaults.budget: expected cost_limit, which it looks like, found "budget"; a parameter of that name is written "param:budget"',
    ],
    [
      'a.yaml',
      'defaults: {instnce_type: x}\n',
      'a.yaml:1:26 defaults.instnce_type: expected instance_type, which it looks like, found "instnce_type"; a parameter of that name is written "param:instnce_type"',
    ],
    [
      'a.json',
      '{"defaults": {"dns": "a", "dns_name": "b"}, "params": [{}]}',
      'a.json:1:39 defaults.dns_name: expected --dns said once, found it twice, under two names',
    ],
    [
      'a.json',
      '[{"x": 1}, {"x": 2, "ttl": "1h"}]',
      'a.json:1:28 [1].ttl: expected the same for every member of an array, found "1h" here and nothing in the first; launch an array for each',
    ],
    [
      'a.json',
      '[{"x": 1, "ttl": "1h"}, {"x": 2}]',
      'a.json:1:18 [0].ttl: expected the same for every member of an array, found "1h" in the first and nothing in another',
    ],
    [
      'a.yaml',
      'params: [\n',
      'a.yaml:2:1: expected YAML, found a fault: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['a.yaml', 'a: 1\na: 2\n', 'a.yaml:2:1: expected YAML, found a fault: Map keys must be unique'],
    [
      'a.yaml',
      'a: *x\n',
      'a.yaml: expected YAML, found a fault: Unresolved alias (the anchor must be set before the alias): x',
    ],
    ['a.csv', '', 'a.csv: expected a line of names, found nothing'],
    ['a.csv', 'a,\n1,2\n', 'a.csv:1: expected a name in column 2, found nothing'],
    ['a.csv', 'a,a\n1,2\n', 'a.csv:1: expected column "a" once, found twice'],
    ['a.csv', 'a,b\n1,2\n1\n', 'a.csv:3: expected 2 columns as in line 1, found 1'],
    ['a.csv', 'a,b\n', 'a.csv: expected at least one set of parameters under params or grid, found none'],
    [
      'a.csv',
      'lr,ttl\n1,1h\n2,2h\n',
      'a.csv:3 params[1].ttl: expected the same for every member of an array, found "2h" here and "1h" in the first; launch an array for each',
    ],
  ])('%s %j', async (name, text, message) => {
    expect(await fault(name, text)).toBe(message);
  });

  test('a fault of CSV, with its line', async () => {
    expect(await fault('a.csv', 'a,b\n1,"2\n')).toMatch(/^a\.csv:\d: expected CSV, found a fault: /);
  });

  test('too many', async () => {
    const hundred = Array.from({ length: 100 }, (_, at) => at);
    const grid = { a: hundred, b: hundred, c: hundred };
    expect(await fault('big.json', JSON.stringify({ grid }))).toMatch(
      /^big\.json:1:9 grid: expected at most 10000 combinations, found 1000000$/,
    );
  });

  test.each([
    ['many.json', JSON.stringify(Array.from({ length: 10_001 }, () => ({})))],
    ['many.csv', 'a\n'.repeat(100_000)],
  ])('too many rows: %s', async (name, text) => {
    expect(await fault(name, text)).toMatch(/: expected at most 10000 sets of parameters, found 10001 or more$/);
  });

  test.each([
    ['deep.json', '['.repeat(200_000) + ']'.repeat(200_000)],
    ['deep.yaml', '['.repeat(5_000) + ']'.repeat(5_000)],
  ])('nested too deep: %s', async (name, text) => {
    expect(await fault(name, text)).toBe(
      `${name}: expected objects and lists a few levels deep, found more levels than can be read`,
    );
  });

  test('a device without an end', async () => {
    await expect(readParamFile('zero.json', '/dev/zero')).rejects.toThrow(
      '--param-file zero.json: expected at most 16777216 bytes, found more',
    );
  });

  test('more than a request may hold', async () => {
    const wide = { grid: { a: Array.from({ length: 500 }, (_, at) => at) }, defaults: { b: 'y'.repeat(60_000) } };
    expect(await fault('wide.json', JSON.stringify(wide))).toMatch(
      /^wide\.json: expected at most 16777216 characters in all sets together, found \d+$/,
    );
  });

  test('aliases that would fill the memory', async () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (let at = 1; at < 9; at++) {
      const [one, before] = [String.fromCharCode(97 + at), String.fromCharCode(96 + at)];
      lines.push(`${one}: &${one} [${Array(10).fill(`*${before}`).join(', ')}]`);
    }
    expect(await fault('bomb.yaml', lines.join('\n'))).toMatch(
      /^bomb\.yaml: expected YAML, found a fault: Excessive alias count/,
    );
  });

  test('no such file, no text', async () => {
    await expect(readParamFile('none.json', join(folder, 'none.json'))).rejects.toThrow(
      '--param-file: file "none.json" not found',
    );
    await expect(readParamFile('.', folder)).rejects.toThrow('it is a directory');
    expect(await fault('latin.json', Uint8Array.of(0x22, 0xe9, 0x22))).toMatch(
      /^FILE_UNREADABLE .*it is not UTF-8 text/,
    );
  });
});
