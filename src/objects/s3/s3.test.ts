import { createHash, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { hasS3, S3Server, testWithS3 as test } from '../../../test/support/s3-server.ts';
import { openS3 } from './open-s3.ts';
import type { S3, S3Object } from './s3.ts';
import type { S3Place } from './s3-uri.ts';

const MIB = 1024 * 1024;
const PART = 5 * MIB;

let server: S3Server;
let s3: S3;

beforeAll(async () => {
  if (!hasS3) return;
  server = await S3Server.start();
  await server.makeBucket('things');
  s3 = await openS3(server.access, { env: server.env, partBytes: PART, copyBytes: 6 * MIB });
}, 60_000);
afterAll(async () => {
  s3?.close();
  await server?.stop();
});

const at = (key: string, bucket = 'things'): S3Place => ({ bucket, key });
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** In pieces that fit nothing. */
async function* inPieces(bytes: Uint8Array, size = 65_521): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function readAll(place: S3Place, from: number, to: number, etag?: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of s3.read(place, { from, to, ...(etag !== undefined && { etag }) })) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function keysOf(listing: AsyncIterable<S3Object>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of listing) keys.push(key);
  return keys;
}

async function unfinishedUploads(): Promise<number> {
  const client = server.client();
  const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket: 'things' }));
  client.destroy();
  return Uploads?.length ?? 0;
}

describe('what was put is there', () => {
  test.each([0, 1, PART - 1, PART, PART + 1, 3 * PART + 777])('%i bytes at once and as a stream', async (size) => {
    const bytes = randomBytes(size);
    for (const [key, body] of [
      [`whole/${size}`, bytes],
      [`stream/${size}`, inPieces(bytes)],
    ] as const) {
      const written = await s3.put(at(key), body);
      expect(written).toEqual({ size, sha256: sha256(bytes), etag: expect.stringMatching(/^"[0-9a-f]{32}(-\d+)?"$/) });
      expect(await s3.find(at(key))).toMatchObject({ key, size, etag: written.etag });
      expect(sha256(await readAll(at(key), 0, size, written.etag))).toBe(sha256(bytes));
    }
  });

  test('any range of it', async () => {
    const bytes = randomBytes(2 * PART + 5);
    await s3.put(at('ranges'), bytes);
    for (const [from, to] of [
      [0, 1],
      [PART - 3, PART + 3],
      [bytes.length - 1, bytes.length],
      [7, 7],
    ] as const) {
      expect(await readAll(at('ranges'), from, to)).toEqual(bytes.subarray(from, to));
    }
  });

  test('with keys of any characters, in the order of their bytes', async () => {
    const keys = ['"q\'', 'a//b', 'a b+c&d=?#%41', 'tab\tand\u0001', 'z/', 'ä ö', '日本', '\u{1F600}'].map(
      (key) => `odd/${key}`,
    );
    for (const key of keys) await s3.put(at(key), Buffer.from(key));
    expect(await keysOf(s3.list(at('odd/')))).toEqual(
      keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
    for (const key of keys) expect(Buffer.from(await readAll(at(key), 0, Buffer.byteLength(key))).toString()).toBe(key);
    expect(await keysOf(s3.list(at('odd/'), { after: 'odd/日本' }))).toEqual(['odd/\u{1F600}']);
    expect(await keysOf(s3.list(at('none/')))).toEqual([]);
  });

  test('until it is removed, also twice', async () => {
    await s3.put(at('gone'), Buffer.from('x'));
    await s3.remove(at('gone'));
    await s3.remove(at('gone'));
    expect(await s3.find(at('gone'))).toBeUndefined();
  });

  test('and its copies, at once and in parts', async () => {
    for (const size of [PART, 7 * MIB]) {
      const bytes = randomBytes(size);
      await s3.put(at('from/ä +%'), bytes);
      await s3.copy(at('from/ä +%'), at(`to/${size}`));
      expect(sha256(await readAll(at(`to/${size}`), 0, size))).toBe(sha256(bytes));
    }
    await expect(s3.copy(at('nothing'), at('to/x'))).rejects.toThrow('"s3://things/nothing": object not found');
  });

  test('in listings of many pages', async () => {
    await server.makeBucket('many');
    server.addRows('many', 'p/', 10_000);
    const keys = await keysOf(s3.list(at('p/', 'many')));
    expect(keys).toHaveLength(10_000);
    expect(keys).toEqual(Array.from({ length: 10_000 }, (_, i) => `p/${String(i).padStart(6, '0')}`));
  });
});

describe('what was changed', () => {
  test('is not read for what it was', async () => {
    const { etag } = await s3.put(at('changes'), Buffer.from('before'));
    await s3.put(at('changes'), Buffer.from('after!'));
    await expect(readAll(at('changes'), 0, 6, etag)).rejects.toMatchObject({
      code: 'INPUT_CHANGED',
      message: `input "s3://things/changes" has changed: expected etag ${etag}, found another one`,
    });
    await s3.remove(at('changes'));
    await expect(readAll(at('changes'), 0, 6, etag)).rejects.toThrow(`expected etag ${etag}, found no object`);
  });
});

describe('what cannot be done says why', () => {
  test('without an object or a bucket', async () => {
    expect(await s3.find(at('none'))).toBeUndefined();
    await expect(readAll(at('none'), 0, 1)).rejects.toMatchObject({
      code: 'OBJECT_NOT_FOUND',
      message: '"s3://things/none": object not found',
    });
    const bucket = { code: 'OBJECT_NOT_FOUND', message: '"s3://no-bucket/k": bucket not found' };
    await expect(s3.find(at('k', 'no-bucket'))).rejects.toMatchObject(bucket);
    await expect(readAll(at('k', 'no-bucket'), 0, 1)).rejects.toMatchObject(bucket);
    await expect(s3.put(at('k', 'no-bucket'), Buffer.from('x'))).rejects.toMatchObject(bucket);
    await expect(s3.put(at('k', 'no-bucket'), inPieces(randomBytes(2 * PART)))).rejects.toMatchObject(bucket);
    await expect(keysOf(s3.list(at('k', 'no-bucket')))).rejects.toMatchObject(bucket);
  });

  test('with a range that is not there', async () => {
    await s3.put(at('short'), Buffer.from('abc'));
    await expect(readAll(at('short'), 1, 9)).rejects.toMatchObject({ code: 'STORAGE_REFUSED' });
    await expect(readAll(at('short'), 5, 9)).rejects.toMatchObject({
      code: 'STORAGE_REFUSED',
      message: expect.stringContaining('HTTP 416'),
    });
  });

  test('with a wrong secret, which it does not tell', async () => {
    const env = { ...server.env, TEST_S3_SECRET: 'hunter2-hunter2' };
    const stranger = await openS3(server.access, { env });
    for (const work of [
      () => stranger.find(at('x')),
      () => stranger.put(at('x'), Buffer.from('x')),
      () => stranger.remove(at('x')),
      () => keysOf(stranger.list(at(''))),
    ]) {
      const error: unknown = await work().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'STORAGE_REFUSED',
        message: expect.stringMatching(
          /^"s3:\/\/things\/x?": cannot [a-z ]+: .*\(HTTP 403, SignatureDoesNotMatch, request /,
        ),
      });
      expect(inspect(error, { depth: 20 })).not.toContain('hunter2');
    }
    stranger.close();
  });

  test('with an access that cannot be right', async () => {
    const open = (access: object) => openS3(access, { env: { A: 'x' }, where: 'input.s3' });
    await expect(open({ endpoint: 'ftp://x' })).rejects.toThrow(
      'input.s3.endpoint: expected http://HOST[:PORT] or https://…, found "ftp://x"',
    );
    await expect(open({ endpoint: 'http://me:hunter2@x' })).rejects.toThrow('found "http://…@x"');
    await expect(open({ endpoint: 'http://x/?a' })).rejects.toThrow('expected an address without "?" and "#"');
    await expect(open({ accessKeyId: { env: 'A' } })).rejects.toThrow('found "accessKeyId alone"');
    await expect(open({ accessKeyId: { env: 'A' }, secretAccessKey: { env: 'B' } })).rejects.toThrow(
      'input.s3.secretAccessKey: expected a secret in variable B, found no such variable',
    );
  });
});

describe('an upload that fails leaves nothing', () => {
  test('when its source fails', async () => {
    await s3.put(at('kept'), Buffer.from('the old one'));
    const source = async function* () {
      yield randomBytes(2 * PART + 9);
      throw new Error('the source broke');
    };
    await expect(s3.put(at('kept'), source())).rejects.toThrow('the source broke');
    expect(Buffer.from(await readAll(at('kept'), 0, 11)).toString()).toBe('the old one');
    expect(await unfinishedUploads()).toBe(0);
  });

  test('when it is called off', async () => {
    const control = new AbortController();
    const source = async function* () {
      yield randomBytes(2 * PART);
      control.abort(new Error('enough'));
      yield randomBytes(2 * PART);
    };
    await expect(s3.put(at('off'), source(), { signal: control.signal })).rejects.toThrow('enough');
    expect(await s3.find(at('off'))).toBeUndefined();
    expect(await unfinishedUploads()).toBe(0);
  });

  test('when it is not as long as was said', async () => {
    for (const size of [PART - 1, 3 * PART]) {
      const put = s3.put(at('long'), inPieces(randomBytes(2 * PART)), { size });
      await expect(put).rejects.toMatchObject({
        code: 'STORAGE_REFUSED',
        message: expect.stringContaining(`expected ${size} bytes, found`),
      });
    }
    expect(await s3.find(at('long'))).toBeUndefined();
    expect(await unfinishedUploads()).toBe(0);
  });
});
