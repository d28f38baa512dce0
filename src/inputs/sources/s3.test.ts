import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { hasS3, S3Server, testWithS3 as test } from '../../../test/support/s3-server.ts';
import { openS3 } from '../../objects/s3/open-s3.ts';
import type { S3 } from '../../objects/s3/s3.ts';
import type { Source } from '../source.ts';
import { openSources } from './open.ts';
import { resolveSources } from './resolve.ts';

let server: S3Server;
let s3: S3;

beforeAll(async () => {
  if (!hasS3) return;
  server = await S3Server.start();
  s3 = await openS3(server.access, { env: server.env });
  await server.makeBucket('data');
  const keys = [
    '2024/a.csv',
    '2024/b.csv',
    '2024/b.csv.bak',
    '2024/sub/c.csv',
    '2024-x',
    '2025/d.txt',
    '[odd].csv',
    'folder/',
  ];
  for (const key of keys) await s3.put({ bucket: 'data', key }, Buffer.from(key));
}, 60_000);
afterAll(async () => {
  s3?.close();
  await server?.stop();
});

async function resolved(from: readonly string[], exclude: readonly string[] = []): Promise<Source[]> {
  const found: Source[] = [];
  const options = { cwd: '/', s3: server.access, env: server.env };
  for await (const source of resolveSources(from, exclude, options)) found.push(source);
  return found;
}

describe('objects', () => {
  const all = ['2024-x', '2024/a.csv', '2024/b.csv', '2024/b.csv.bak', '2024/sub/c.csv', '2025/d.txt', '[odd].csv'];
  const of2024 = all.filter((key) => key.startsWith('2024/'));

  test.each<[from: string[], exclude: string[], keys: string[]]>([
    [['s3://data'], [], all],
    [['s3://data/'], [], all],
    [['s3://data/2024'], [], of2024],
    [['s3://data/2024/'], [], of2024],
    [['s3://data/2024-x'], [], ['2024-x']],
    [['s3://data/[odd].csv'], [], ['[odd].csv']],
    [['s3://data/2024/*.csv'], [], ['2024/a.csv', '2024/b.csv']],
    [['s3://data/**/*.csv'], [], ['2024/a.csv', '2024/b.csv', '2024/sub/c.csv', '[odd].csv']],
    [['s3://data/202[45]/?.???'], [], ['2024/a.csv', '2024/b.csv', '2025/d.txt']],
    [['s3://data/{2025,2024}/*'], [], ['2025/d.txt', '2024/a.csv', '2024/b.csv', '2024/b.csv.bak']],
    [
      ['s3://data/2024/b.csv', 's3://data/2024/**', 's3://data/2024/a.csv'],
      [],
      ['2024/b.csv', '2024/a.csv', '2024/b.csv.bak', '2024/sub/c.csv'],
    ],
    [['s3://data/2024'], ['*.bak', 's3://data/2024/sub'], ['2024/a.csv', '2024/b.csv']],
    [['s3://data/2024'], ['sub', 's3://other/**', '2024/**'], ['2024/a.csv', '2024/b.csv', '2024/b.csv.bak']],
  ])('%j without %j', async (from, exclude, keys) => {
    expect((await resolved(from, exclude)).map(({ uri }) => uri)).toEqual(keys.map((key) => `s3://data/${key}`));
  });

  test.each<[from: string, words: string]>([
    ['s3://data/2023/', 'input "s3://data/2023/": no object fits it; did you mean "s3://data/2024"?'],
    ['s3://data/2042/a.csv', 'no object fits it; did you mean "s3://data/2024/a.csv"?'],
    ['s3://data/2024/c.csv', 'no object fits it; did you mean "s3://data/2024/a.csv"?'],
    ['s3://data/2024/*.cvs', 'no object fits it; did you mean "s3://data/2024/*.csv"?'],
    ['s3://nowhere/x', '"s3://nowhere/x": bucket not found'],
    ['s3://x', 'input.from[0]: expected the name of a bucket'],
    ['s3://data/a/../b', 'expected a key without "." and ".."'],
    ['s3:///key', 'expected the name of a bucket'],
  ])('%s is refused', async (from, words) => {
    await expect(resolved([from])).rejects.toThrow(words);
  });

  test('are read, and known to have changed', async () => {
    const bytes = randomBytes(300_000);
    await s3.put({ bucket: 'data', key: 'one' }, bytes);
    const [source] = await resolved(['s3://data/one']);
    const sources = openSources({ s3: server.access, env: server.env });
    const object = await sources.open(source!);
    const hash = createHash('sha256');
    for await (const piece of object.read(0, bytes.length)) hash.update(piece);
    await object.check();
    expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
    await s3.put({ bucket: 'data', key: 'one' }, randomBytes(300_000));
    const read = async () => {
      for await (const _ of object.read(0, bytes.length));
    };
    await expect(read()).rejects.toMatchObject({ code: 'INPUT_CHANGED' });
    await expect(object.check()).rejects.toMatchObject({
      code: 'INPUT_CHANGED',
      message: expect.stringContaining('expected etag'),
    });
    await s3.remove({ bucket: 'data', key: 'one' });
    await expect(object.check()).rejects.toMatchObject({
      code: 'INPUT_CHANGED',
      message: expect.stringContaining('found nothing'),
    });
    await object.close();
    sources.close();
  });
});
