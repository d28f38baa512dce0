import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Source } from '../source.ts';
import { openSources } from './open.ts';
import { resolveSources } from './resolve.ts';

let cwd: string;

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'spawn-sources-'));
  const files = [
    'a.csv',
    'b.csv',
    'c.txt',
    'z[1].csv',
    '.hidden.csv',
    'data/1.csv',
    'data/10.csv',
    'data/2.csv',
    'data/sub/3.csv',
    'data/sub/deep/4.csv',
    'data/.git/config',
    'data/sub.csv',
    'data/tmp/5.csv',
    'other/ä.csv',
    'other/x y.csv',
  ];
  for (const file of files) {
    mkdirSync(dirname(join(cwd, file)), { recursive: true });
    writeFileSync(join(cwd, file), file);
  }
  mkdirSync(join(cwd, 'empty'));
  symlinkSync('../a.csv', join(cwd, 'data/link.csv'));
  symlinkSync('../data', join(cwd, 'other/loop'));
  symlinkSync('data', join(cwd, 'linked'));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

async function resolved(from: readonly string[], exclude: readonly string[] = []): Promise<string[]> {
  const found: string[] = [];
  for await (const { uri } of resolveSources(from, exclude, { cwd })) {
    expect(uri.startsWith(`${cwd}/`)).toBe(true);
    found.push(uri.slice(cwd.length + 1));
  }
  return found;
}

const ALL_DATA = [
  'data/1.csv',
  'data/10.csv',
  'data/2.csv',
  'data/link.csv',
  'data/sub.csv',
  'data/sub/3.csv',
  'data/sub/deep/4.csv',
  'data/tmp/5.csv',
];

describe('what is found', () => {
  test.each<[from: string[], exclude: string[], found: string[]]>([
    [['a.csv'], [], ['a.csv']],
    [['./data/../a.csv'], [], ['a.csv']],
    [['*.csv'], [], ['a.csv', 'b.csv', 'z[1].csv']],
    [['.*.csv'], [], ['.hidden.csv']],
    [['b.csv', '*.csv'], [], ['b.csv', 'a.csv', 'z[1].csv']],
    [['{b,a}.csv'], [], ['b.csv', 'a.csv']],
    [['z[1].csv'], [], ['z[1].csv']],
    [['z\\[1].csv'], [], ['z[1].csv']],
    [['[ab].csv'], [], ['a.csv', 'b.csv']],
    [['data'], [], ALL_DATA],
    [['data/'], [], ALL_DATA],
    [['data/**'], [], ALL_DATA],
    [['data/*'], [], ALL_DATA.slice(0, 5)],
    [['data/*/'], [], ['data/sub/3.csv', 'data/sub/deep/4.csv', 'data/tmp/5.csv']],
    [['data/**/*.csv', 'data', 'data/1.csv'], [], ALL_DATA],
    [['data/1.csv', 'data'], [], ALL_DATA],
    [['data/.git'], [], ['data/.git/config']],
    [['linked'], [], ALL_DATA.map((path) => path.replace('data', 'linked'))],
    [['other'], [], ['other/x y.csv', 'other/ä.csv']],
    [['other/*/1.csv'], [], ['other/loop/1.csv']],
    // What `**` did not go through is not thought to be given.
    [['other/**', 'other/loop/1.csv'], [], ['other/x y.csv', 'other/ä.csv', 'other/loop/1.csv']],
    [['data'], ['tmp', 'link.csv'], ALL_DATA.filter((path) => !/tmp|link/.test(path))],
    [['data'], ['data/sub/**'], ALL_DATA.filter((path) => !path.startsWith('data/sub/'))],
    [['data'], ['data/sub'], ALL_DATA.filter((path) => !path.startsWith('data/sub/'))],
    [['data'], ['data/*.csv'], ['data/sub/3.csv', 'data/sub/deep/4.csv', 'data/tmp/5.csv']],
    [
      ['data'],
      ['**/deep/*', '{1,2,10}.csv', 's3://bucket/**'],
      ['data/link.csv', 'data/sub.csv', 'data/sub/3.csv', 'data/tmp/5.csv'],
    ],
    [['data/tmp/*'], ['tmp'], ['data/tmp/5.csv']],
  ])('%j without %j', async (from, exclude, found) => {
    expect(await resolved(from, exclude)).toEqual(found);
  });

  test.each([
    '*',
    '*.csv',
    'data/*.csv',
    'data/**',
    '**/*.csv',
    '**/sub/**',
    'data/s*/*',
    '**/[0-9].csv',
    '{a,c}.*',
    'data/?.csv',
    '**/*/*.csv',
  ])('%s is what a shell finds, without directories', async (glob) => {
    const script = `shopt -s globstar nullglob; for f in ${glob}; do if [ -f "$f" ]; then printf '%s\\n' "$f"; fi; done`;
    const shell = execFileSync('bash', ['--norc', '-c', script], {
      cwd,
      env: { LC_ALL: 'C', SHLVL: '1', PATH: process.env.PATH! },
      encoding: 'utf8',
    });
    const known = shell.trimEnd().split('\n');
    expect((await resolved([glob])).toSorted()).toEqual(known.toSorted());
  });

  test('with its size and time', async () => {
    utimesSync(join(cwd, 'a.csv'), 1_700_000_000.25, 1_700_000_000.25);
    const found: Source[] = [];
    for await (const source of resolveSources(['a.csv'], [], { cwd })) found.push(source);
    expect(found).toEqual([{ uri: join(cwd, 'a.csv'), size: 5, mtimeMs: 1_700_000_000_250 }]);
  });
});

describe('what is not found', () => {
  test.each<[from: string, exclude: string[], words: string]>([
    [
      'data/3.csv',
      [],
      'input "data/3.csv": no such file or directory (CWD/data/3.csv); did you mean "CWD/data/1.csv"?',
    ],
    ['dta/*.csv', [], 'input "dta/*.csv": no file fits it (CWD/dta/*.csv); did you mean "CWD/data/*.csv"?'],
    ['data/*.cvs', [], 'input "data/*.cvs": no file fits it (CWD/data/*.cvs); did you mean "CWD/data/*.csv"?'],
    ['data/x*', [], 'input "data/x*": no file fits it (CWD/data/x*)'],
    ['empty', [], 'input "empty": no file in it'],
    ['empty/*', [], 'input "empty/*": no file fits it (CWD/empty/*)'],
    ['{a,q}.csv', [], 'input "q.csv": no such file or directory'],
    ['data', ['*.csv'], 'input "data": all that it finds is left out by exclude (8)'],
    ['a.csv/x', [], 'input "a.csv/x": no such file or directory'],
    ['~/a.csv', [], '; did you mean "/'],
    [
      'file:///etc/passwd',
      [],
      'input.from[0]: expected a path, http://, https:// or s3://; write the path alone, found "file:///etc/passwd"',
    ],
    ['s4://bucket/key', [], 'did you mean "s3"?, found "s4://bucket/key"'],
    ['data/[a', [], 'input.from[0]: expected "]" at the end of a set of characters, found "[a"'],
  ])('%s without %j', async (from, exclude, words) => {
    await expect(resolved([from], exclude)).rejects.toThrow(words.replaceAll('CWD', cwd));
  });

  test('is what cannot be read as a file', async () => {
    const folder = mkdtempSync(join(cwd, 'odd-'));
    const name = folder.slice(cwd.length + 1);
    const refused = (from: string) => expect(resolved([from])).rejects;
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    await refused(`${name}/fifo`).toThrow(`input "${folder}/fifo" cannot be read: expected a file, found a fifo`);
    await refused(name).toThrow('expected a file, found a fifo');
    await refused('/dev/null').toThrow('input "/dev/null" cannot be read: expected a file, found a device');
    unlinkSync(join(folder, 'fifo'));
    const server = createServer().listen(join(folder, 'socket'));
    await refused(name).toThrow('expected a file, found a socket');
    await new Promise((closed) => server.close(closed));
    symlinkSync('nowhere', join(folder, 'link'));
    await refused(`${name}/*`).toThrow('it is a link to nothing');
    unlinkSync(join(folder, 'link'));
    symlinkSync('circle', join(folder, 'circle'));
    await refused(`${name}/*`).toThrow('links that lead in a circle');
    unlinkSync(join(folder, 'circle'));
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.of(0xff)]), 'x');
    await refused(name).toThrow('its name is not UTF-8');
    rmSync(folder, { recursive: true });
  });

  test('can be called off', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    for (let at = 0; at < 600; at++) writeFileSync(join(cwd, 'empty', String(at)), '');
    const many = async () => {
      for await (const _ of resolveSources(['empty'], [], { cwd, signal }));
    };
    await expect(many()).rejects.toThrow('enough');
    for (let at = 0; at < 600; at++) rmSync(join(cwd, 'empty', String(at)));
  });
});

describe('a file', () => {
  const bytes = Buffer.alloc(3_000_001, 'abcdefg');
  let source: Source;
  const path = () => join(cwd, 'large');

  beforeAll(async () => {
    writeFileSync(path(), bytes);
    for await (const found of resolveSources(['large'], [], { cwd })) source = found;
  });

  test('is read where it is asked for', async () => {
    const sources = openSources();
    const file = await sources.open(source);
    for (const [from, to] of [
      [0, bytes.length],
      [1, 2],
      [5, 5],
      [1_048_575, 2_097_153],
    ] as const) {
      const pieces: Uint8Array[] = [];
      for await (const piece of file.read(from, to)) pieces.push(piece);
      expect(Buffer.concat(pieces).equals(bytes.subarray(from, to))).toBe(true);
    }
    await file.check();
    await file.close();
  });

  test('is known to have changed', async () => {
    const file = await openSources().open(source);
    const change = { code: 'INPUT_CHANGED' };
    utimesSync(path(), new Date(0), new Date(0));
    await expect(file.check()).rejects.toMatchObject({
      ...change,
      message: expect.stringContaining('found 1970-01-01T00:00:00.000Z'),
    });
    writeFileSync(path(), 'short');
    await expect(file.check()).rejects.toMatchObject({
      ...change,
      message: expect.stringContaining('expected 3000001 bytes, found 5 bytes'),
    });
    const read = async () => {
      for await (const _ of file.read(0, bytes.length));
    };
    await expect(read()).rejects.toMatchObject({ ...change, message: expect.stringContaining('found 5 bytes') });
    rmSync(path());
    await expect(file.check()).rejects.toMatchObject({ ...change, message: expect.stringContaining('found nothing') });
    await file.close();
    await expect(openSources().open(source)).rejects.toMatchObject(change);
    execFileSync('mkfifo', [path()]);
    await expect(openSources().open(source)).rejects.toThrow('expected a file, found a fifo');
    rmSync(path());
  });
});
