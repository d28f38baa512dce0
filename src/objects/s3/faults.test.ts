import { createHash, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { BreakingProxy, type Fate } from '../../../test/support/breaking-proxy.ts';
import { hasS3, S3Server, testWithS3 as test } from '../../../test/support/s3-server.ts';
import { openS3 } from './open-s3.ts';
import type { S3 } from './s3.ts';

const MIB = 1024 * 1024;
const PART = 5 * MIB;
const BUCKET = 'things';
/** More than what lies in the buffers between two processes. */
const LARGE = 20 * MIB;

let server: S3Server;
let proxy: BreakingProxy;
let s3: S3;
/** Not through the proxy. */
let direct: S3;

beforeAll(async () => {
  if (!hasS3) return;
  server = await S3Server.start();
  await server.makeBucket(BUCKET);
  proxy = await BreakingProxy.before(server.endpoint);
  s3 = await open(60_000);
  direct = await open(60_000, server.endpoint);
}, 60_000);
afterEach(() => {
  proxy.fate = () => 'pass';
});
afterAll(async () => {
  s3?.close();
  direct?.close();
  await proxy?.stop();
  await server?.stop();
});

const open = (patienceMs: number, endpoint = proxy.endpoint) =>
  openS3({ ...server.access, endpoint }, { env: server.env, partBytes: PART, patienceMs });
const at = (key: string) => ({ bucket: BUCKET, key });
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function hashOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

/** Breaks the first so many requests of a kind. */
function breakFirst(count: number, method: string, words: string, fate: Fate): () => number {
  let left = count;
  proxy.fate = (request) => {
    if (left === 0 || request.method !== method || !request.url.includes(words)) return 'pass';
    left--;
    return fate;
  };
  return () => count - left;
}

test.each<[fate: Fate]>([['refuse'], ['reset'], ['lose']])(
  'what is answered with "%s" is tried again',
  async (fate) => {
    const bytes = randomBytes(100_000);
    const broken = [breakFirst(2, 'PUT', '/again', fate)];
    await s3.put(at('again'), bytes);
    broken.push(breakFirst(1, 'GET', '/again', fate));
    expect(await hashOf(s3.read(at('again'), { from: 0, to: bytes.length }))).toBe(sha256(bytes));
    broken.push(breakFirst(1, 'HEAD', '/again', fate));
    expect(await s3.find(at('again'))).toMatchObject({ size: bytes.length });
    broken.push(breakFirst(1, 'GET', 'list-type', fate));
    const keys: string[] = [];
    for await (const { key } of s3.list(at('again'))) keys.push(key);
    expect(keys).toEqual(['again']);
    broken.push(breakFirst(1, 'DELETE', '/again', fate));
    await s3.remove(at('again'));
    expect(broken.map((count) => count())).toEqual([2, 1, 1, 1, 1]);
  },
);

test('a read that ends early goes on where it ended', async () => {
  const bytes = randomBytes(PART);
  await s3.put(at('cut'), bytes);
  const cuts = [0, 1, 70_000, 1_000_000];
  proxy.fate = ({ method }) => (method === 'GET' ? (cuts.shift() ?? 'pass') : 'pass');
  expect(await hashOf(s3.read(at('cut'), { from: 3, to: bytes.length - 3 }))).toBe(sha256(bytes.subarray(3, -3)));
  expect(cuts).toEqual([]);
});

test('a read does not go on in another content', async () => {
  await s3.put(at('swapped'), randomBytes(1_000_000));
  breakFirst(1, 'GET', '/swapped', 500_000);
  const rest = async () => {
    let seen = 0;
    for await (const piece of s3.read(at('swapped'), { from: 0, to: 1_000_000 })) {
      if (seen === 0) await direct.put(at('swapped'), randomBytes(1_000_000));
      seen += piece.length;
    }
  };
  await expect(rest()).rejects.toMatchObject({ code: 'INPUT_CHANGED' });
});

test.each<[what: string, method: string, words: string, fate: Fate]>([
  ['the beginning', 'POST', 'uploads', 'refuse'],
  ['a part', 'PUT', 'partNumber=2', 'reset'],
  ['the answer to a part', 'PUT', 'partNumber=3', 'lose'],
  ['the end', 'POST', 'uploadId', 'reset'],
  ['the answer to the end', 'POST', 'uploadId', 'lose'],
])('an upload in parts survives the loss of %s', async (_, method, words, fate) => {
  const bytes = randomBytes(3 * PART + 11);
  const broken = breakFirst(1, method, words, fate);
  const written = await s3.put(at('parts'), bytes);
  expect(broken()).toBe(1);
  expect(written).toMatchObject({ size: bytes.length, sha256: sha256(bytes) });
  expect(await hashOf(s3.read(at('parts'), { from: 0, to: bytes.length, etag: written.etag }))).toBe(sha256(bytes));
});

test('killed in the middle of a read and of an upload, and brought back: both end well', {
  timeout: 90_000,
}, async () => {
  const old = randomBytes(LARGE);
  await direct.put(at('old'), old);
  const read = createHash('sha256');
  const bytes = randomBytes(4 * PART + 5);
  let back: Promise<void> | undefined;
  const source = async function* () {
    yield bytes.subarray(0, 3 * PART);
    for await (const piece of direct.read(at('old'), { from: 0, to: old.length })) {
      read.update(piece);
      if (back !== undefined) continue;
      await server.kill();
      back = server.start();
    }
    yield bytes.subarray(3 * PART);
  };
  const written = await direct.put(at('new'), source());
  await back;
  expect(read.digest('hex')).toBe(sha256(old));
  expect(await hashOf(direct.read(at('new'), { from: 0, to: bytes.length, etag: written.etag }))).toBe(sha256(bytes));
});

test('killed and away for long: what was begun fails clearly, and nothing of it is seen', {
  timeout: 90_000,
}, async () => {
  const hasty = await open(300, server.endpoint);
  const old = randomBytes(LARGE);
  const { etag } = await direct.put(at('kept'), old);
  const read = hasty.read(at('kept'), { from: 0, to: old.length })[Symbol.asyncIterator]();
  await read.next();
  const source = async function* () {
    yield randomBytes(3 * PART);
    await server.kill();
    yield randomBytes(PART);
  };
  const away = (doing: string) => ({
    code: 'STORAGE_UNREACHABLE',
    message: expect.stringMatching(new RegExp(`^"s3://things/kept": cannot ${doing} after \\d+ tries: .+`)),
  });
  await expect(hasty.put(at('kept'), source())).rejects.toMatchObject(away('write'));
  const rest = async () => {
    while ((await read.next()).done !== true);
  };
  await expect(rest()).rejects.toMatchObject(away('read'));
  await expect(hasty.find(at('kept'))).rejects.toMatchObject(away('look at'));
  await server.start();
  expect(await direct.find(at('kept'))).toMatchObject({ size: old.length, etag });
  expect(await hashOf(direct.read(at('kept'), { from: 0, to: old.length, etag }))).toBe(sha256(old));
  hasty.close();
});
