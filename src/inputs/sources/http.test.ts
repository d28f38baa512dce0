import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BreakingProxy } from '../../../test/support/breaking-proxy.ts';
import type { Source } from '../source.ts';
import { openSources } from './open.ts';
import { resolveSources } from './resolve.ts';

const BYTES = randomBytes(3_000_003);
const TIME = 'Sat, 21 Nov 2026 10:00:00 GMT';

let server: Server;
let proxy: BreakingProxy;
/** What the server has and says; each test may change it. */
let said: { bytes: Buffer; etag?: string; time?: string; ranges: boolean; length: boolean; packed?: string };

beforeAll(async () => {
  server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await BreakingProxy.before(at(''));
});
beforeEach(() => {
  said = { bytes: BYTES, etag: '"one"', time: TIME, ranges: true, length: true };
  proxy.fate = () => 'pass';
});
afterAll(async () => {
  await proxy.stop();
  server.closeAllConnections();
  await once(server.close(), 'close');
});

const at = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`;

function answer(asked: IncomingMessage, reply: ServerResponse): void {
  const { pathname } = new URL(asked.url!, 'http://host');
  const hop = /^\/hop\/(\d+)$/.exec(pathname)?.[1];
  if (hop !== undefined)
    reply.writeHead(302, { location: hop === '0' ? '/document' : `/hop/${Number(hop) - 1}` }).end();
  else if (pathname === '/away') reply.writeHead(301, { location: 'ftp://elsewhere/x' }).end();
  else if (pathname === '/forbidden') reply.writeHead(403).end('no');
  else if (pathname !== '/document') reply.writeHead(404).end('none');
  else give(asked, reply);
}

function give(asked: IncomingMessage, reply: ServerResponse): void {
  const { bytes, etag, time, ranges, length, packed } = said;
  if (etag !== undefined) reply.setHeader('etag', etag);
  if (time !== undefined) reply.setHeader('last-modified', time);
  if (packed !== undefined) reply.setHeader('content-encoding', packed);
  const match = ranges ? /^bytes=(\d+)-(\d+)$/.exec(asked.headers.range ?? '') : null;
  if (match === null) {
    if (length) reply.setHeader('content-length', bytes.length);
    // Node counts by itself what comes at once.
    if (!length) reply.flushHeaders();
    reply.end(asked.method === 'HEAD' ? undefined : bytes);
    return;
  }
  const from = Number(match[1]);
  const to = Math.min(Number(match[2]) + 1, bytes.length);
  if (asked.headers['if-match'] !== undefined && asked.headers['if-match'] !== etag) reply.writeHead(412).end();
  else if (from >= bytes.length) reply.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
  else {
    reply.setHeader('content-range', `bytes ${from}-${to - 1}/${bytes.length}`);
    reply.writeHead(206, { 'content-length': to - from }).end(bytes.subarray(from, to));
  }
}

async function resolved(...from: string[]): Promise<Source[]> {
  const found: Source[] = [];
  for await (const source of resolveSources(from, [], { cwd: '/', patienceMs: 20_000 })) found.push(source);
  return found;
}

async function hashOf(source: Source, from = 0, to = source.size, patienceMs = 20_000): Promise<string> {
  const file = await openSources({ patienceMs }).open(source);
  const hash = createHash('sha256');
  try {
    for await (const piece of file.read(from, to)) hash.update(piece);
    await file.check();
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('a document', () => {
  test('is found with its state, and read in parts', async () => {
    const [source] = await resolved(at('document?key=1#here'));
    expect(source).toEqual({ uri: at('document?key=1'), size: BYTES.length, etag: '"one"', mtimeMs: Date.parse(TIME) });
    expect(await hashOf(source!)).toBe(sha256(BYTES));
    expect(await hashOf(source!, 77, 1_234_567)).toBe(sha256(BYTES.subarray(77, 1_234_567)));
  });

  test('may be empty, and have no state but its size', async () => {
    said = { bytes: Buffer.alloc(0), ranges: true, length: true };
    const [source] = await resolved(at('document'));
    expect(source).toEqual({ uri: at('document'), size: 0 });
    expect(await hashOf(source!)).toBe(sha256(Buffer.alloc(0)));
  });

  test('is given once, and is found for each text that braces stand for', async () => {
    expect((await resolved(at('{document,hop/0}'), at('document'))).map(({ uri }) => uri)).toEqual([
      at('document'),
      at('hop/0'),
    ]);
  });

  test('is found behind up to 5 redirects', async () => {
    const [source] = await resolved(at('hop/4'));
    expect(await hashOf(source!)).toBe(sha256(BYTES));
    await expect(resolved(at('hop/5'))).rejects.toThrow('expected at most 5 redirects, found more');
    await expect(resolved(at('away'))).rejects.toThrow('it leads to an address that is not HTTP');
  });

  test('is fetched once from a server that gives no parts, and leaves no file', async () => {
    said.ranges = false;
    const [source] = await resolved(at('document'));
    expect(await hashOf(source!, 5, 2_000_000)).toBe(sha256(BYTES.subarray(5, 2_000_000)));
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('spawn-fetched-'))).toEqual([]);
    await expect(openSources().open({ ...source!, size: 5 })).rejects.toMatchObject({ code: 'INPUT_CHANGED' });
    said.bytes = Buffer.from('other');
    await expect(hashOf(source!)).rejects.toMatchObject({ code: 'INPUT_CHANGED' });
  });

  test.each<[change: Partial<typeof said>, words: string]>([
    [{ etag: '"two"' }, 'found another state (HTTP 412 Precondition Failed)'],
    [{ bytes: BYTES.subarray(1) }, 'expected 3000003 bytes, found 3000002 bytes'],
    [
      { time: 'Sat, 21 Nov 2026 10:00:01 GMT' },
      'expected time 2026-11-21T10:00:00.000Z, found 2026-11-21T10:00:01.000Z',
    ],
  ])('that changed to %j is not read', async (change, words) => {
    const [source] = await resolved(at('document'));
    const file = await openSources().open(source!);
    Object.assign(said, change);
    const read = async () => {
      for await (const _ of file.read(0, source!.size));
    };
    await expect(read()).rejects.toThrow(words);
    await expect(file.check()).rejects.toMatchObject({ code: 'INPUT_CHANGED' });
  });
});

describe('what is refused says why', () => {
  test.each<[path: string, change: object, code: string, words: string]>([
    ['nothing?secret=1', {}, 'INPUT_NOT_FOUND', '/nothing?…": HTTP 404 Not Found'],
    ['forbidden', {}, 'INPUT_UNREADABLE', 'cannot be read: HTTP 403 Forbidden'],
    ['document', { ranges: false, length: false }, 'INPUT_UNREADABLE', 'neither how long it is nor gives parts'],
    [
      'document',
      { packed: 'gzip' },
      'INPUT_UNREADABLE',
      'expected bytes as they are, found an answer packed with gzip',
    ],
    ['*.csv', {}, 'BAD_REQUEST', 'what is on a server cannot be listed over HTTP'],
  ])('%s with %j', async (path, change, code, words) => {
    Object.assign(said, change);
    await expect(resolved(at(path))).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test('with a password in it, which is not shown', async () => {
    const refused = await resolved('http://me:hunter2@127.0.0.1/x').catch((error: Error) => error);
    expect(refused).toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining('found "http://…@127.0.0.1/x"'),
    });
    expect(JSON.stringify(refused)).not.toContain('hunter2');
  });

  test('when nobody is there for long', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    await once(gone.close(), 'close');
    const lookup = async () => {
      for await (const _ of resolveSources([`http://127.0.0.1:${port}/x`], [], { cwd: '/', patienceMs: 200 }));
    };
    await expect(lookup()).rejects.toMatchObject({
      code: 'STORAGE_UNREACHABLE',
      message: expect.stringMatching(/cannot look at after \d+ tries: connect ECONNREFUSED/),
    });
  });
});

test('what breaks off is taken up again where it broke', async () => {
  const fates = ['refuse', 'reset', 'lose', 'pass', 'pass', 0, 1_000, 'refuse', 500_000, 'reset'] as const;
  let count = 0;
  proxy.fate = () => fates[count++] ?? 'pass';
  const [source] = await resolved(`${proxy.endpoint}/document`);
  expect(await hashOf(source!)).toBe(sha256(BYTES));
  expect(count).toBeGreaterThan(fates.length);
  said.ranges = false;
  count = 4;
  expect(await hashOf({ ...source!, uri: `${proxy.endpoint}/document` })).toBe(sha256(BYTES));
});
