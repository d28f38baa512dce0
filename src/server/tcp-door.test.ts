import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { FakeUseCases } from '../../test/support/fake-use-cases.ts';
import { ask, socketPath } from '../../test/support/server-on-socket.ts';
import { askTcp, open, type ServerOnTcp, serveOnTcp } from '../../test/support/server-on-tcp.ts';
import { until } from '../../test/support/until.ts';
import type { Role } from '../api/access.ts';
import { MAX_BODY_BYTES } from '../api/limits.ts';
import type { Timing } from './options.ts';

async function serve(timing: Partial<Timing> = {}): Promise<ServerOnTcp & { fake: FakeUseCases }> {
  const fake = new FakeUseCases();
  for (const [token, role] of [...'abcd'].map((token, at) => [token, ROLES[at]!] as const)) {
    fake.bearers.set(token, { owner: role, tenant: 'local', sameHost: false, role, token: token.charCodeAt(0) });
  }
  return { ...(await serveOnTcp(fake, timing)), fake };
}

const ROLES: readonly Role[] = ['admin', 'submit', 'read', 'worker'];
const LIST = { line: 'GET /v1/jobs' };

test('who comes over TCP is who bears the token, also on loopback; at the Unix socket it is the user', async () => {
  const { url, server, fake } = await serve();
  const path = socketPath();
  await server.listenUnix(path);
  expect((await askTcp(url, { ...LIST, token: 'b' })).status).toBe(200);
  expect((await ask(path, 'GET /v1/jobs')).status).toBe(200);
  expect((await ask(path, 'GET /v1/jobs', undefined, { authorization: 'Bearer wrong' })).status).toBe(200);
  expect(fake.callers).toEqual([
    { owner: 'submit', tenant: 'local', sameHost: false, role: 'submit', token: 98 },
    ...Array(2).fill({ owner: String(process.getuid?.()), tenant: 'local', sameHost: true, role: 'admin' }),
  ]);
});

test('the server tells where it listens', async () => {
  const { url, server } = await serve();
  expect(JSON.parse((await askTcp(url, { line: 'GET /v1/server', token: 'c' })).text).listens).toEqual([url]);
  const second = await server.listenTcp({ host: '::1', port: 0 });
  expect(second).toMatch(/^http:\/\/\[::1\]:\d+$/);
  expect(JSON.parse((await askTcp(second, { line: 'GET /v1/server', token: 'c' })).text).listens).toEqual([
    url,
    second,
  ]);
});

test.each([
  ['Basic YTpi'],
  ['Bearer'],
  ['Bearer '],
  ['a'],
  ['Bearer a b'],
  ['Bearer a, Bearer b'],
  [`Bearer ${'a'.repeat(300)}`],
])('the header %s is no token', async (authorization) => {
  const { url } = await serve();
  const { status, text, headers } = await askTcp(url, { ...LIST, headers: { authorization } });
  expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer']);
  expect(JSON.parse(text).error.message).toBe('not authenticated: expected a valid token');
});

test('no page of another origin is told that it may read, and there is no answer to its question whether', async () => {
  const { url } = await serve();
  const headers = { origin: 'https://evil.example', 'access-control-request-method': 'GET' };
  const asked = await askTcp(url, { line: 'OPTIONS /v1/jobs', token: 'a', headers });
  const read = await askTcp(url, { ...LIST, token: 'a', headers });
  expect([asked.status, read.status]).toEqual([404, 200]);
  for (const { headers } of [asked, read]) {
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  }
});

test('after twenty failures in a minute an address is told to wait; a valid token is not', async () => {
  const { url } = await serve();
  const statuses: number[] = [];
  for (let i = 0; i < 20; i++) statuses.push((await askTcp(url, { ...LIST, token: 'x' })).status);
  expect(statuses).toEqual(Array(20).fill(401));
  const { status, headers, text } = await askTcp(url, { ...LIST, token: 'x' });
  expect(status).toBe(429);
  expect(Number(headers['retry-after'])).toBeGreaterThan(50);
  expect(JSON.parse(text).error).toMatchObject({ code: 'RATE_LIMITED', details: { retryAfterMs: expect.any(Number) } });
  expect((await askTcp(url, { ...LIST, token: 'a' })).status).toBe(200);
});

test('what is open for a token ends with it, and nothing else does', async () => {
  const { url, fake } = await serve();
  const stream = await open(url, { line: 'GET /v1/sessions/7/stream?after=0', token: 'd' });
  const watch = await open(url, { line: 'GET /v1/jobs/12/watch', token: 'b' });
  const events = await open(url, { line: 'GET /v1/events/watch', token: 'b' });
  const ended: string[] = [];
  for (const [name, reply] of Object.entries({ stream, watch, events })) {
    reply.on('error', () => {}).on('close', () => ended.push(name));
    reply.resume();
  }
  expect([fake.sinks.size, fake.watchers.size, fake.eventWatchers.size]).toEqual([1, 1, 1]);
  const end = (token: string) => {
    for (const listener of fake.tokenListeners) listener(token.charCodeAt(0));
  };
  end('b');
  await until('the watches to end', () => ended.length === 2 && fake.watchers.size + fake.eventWatchers.size === 0);
  expect([ended.toSorted(), fake.sinks.size]).toEqual([['events', 'watch'], 1]);
  end('d');
  await until('the stream to end', () => ended.length === 3 && fake.sinks.size === 0);
});

test('a log that is followed and says nothing ends with its token', async () => {
  const { url, fake } = await serve();
  let gone = false;
  fake.logChunks = async function* (_query, signal) {
    yield Buffer.from('');
    await once(signal, 'abort');
    gone = true;
  };
  const asked = open(url, { line: 'GET /v1/jobs/12/logs?follow=1', token: 'c' }).catch((error: Error) => error);
  await until('the question', () => fake.calls.some(([name]) => name === 'logs'));
  for (const listener of fake.tokenListeners) listener('c'.charCodeAt(0));
  expect(await asked).toMatchObject({ code: 'ECONNRESET' });
  await until('the reading to end', () => gone);
});

test('a token that revokes itself hears so', async () => {
  const { url, fake } = await serve();
  const revoke = fake.revokeToken;
  fake.revokeToken = async (caller, ref) => {
    for (const listener of fake.tokenListeners) listener(caller.token!);
    return await revoke(caller, ref);
  };
  expect((await askTcp(url, { line: 'DELETE /v1/tokens/a', token: 'a' })).status).toBe(200);
});

/** What a client that sends a byte of `text` each 20 ms hears until it is cut off. */
async function drip(url: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  let heard = '';
  let at = 0;
  socket.on('data', (bytes) => {
    heard += bytes;
  });
  socket.on('error', () => {});
  const timer = setInterval(() => socket.write(text[at++ % text.length]!), 20);
  await once(socket, 'close');
  clearInterval(timer);
  return heard;
}

test.each([
  ['headers', 'GET /v1/jobs HTTP/1.1\r\nhost: spawn\r\nx-filler: '],
  [
    'a body',
    'POST /v1/jobs HTTP/1.1\r\nhost: spawn\r\nauthorization: Bearer a\r\ncontent-type: application/json\r\ncontent-length: 99999\r\n\r\n',
  ],
])('a client that sends a byte at a time of %s is cut off', async (_what, text) => {
  const { url } = await serve({ headersMs: 300, requestMs: 600 });
  const heard = await drip(url, `${text}${' '.repeat(10_000)}`);
  expect(heard).toMatch(/^(?:HTTP\/1\.1 400 |$)/);
});

test('a client that says nothing at all is cut off', async () => {
  const { url } = await serve({ headersMs: 300 });
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {}).resume();
  await once(socket, 'close');
  expect((await askTcp(url, { ...LIST, token: 'a' })).status).toBe(200);
});

test('limits of sizes hold', async () => {
  const { url } = await serve();
  const length = { 'content-type': 'application/json', 'content-length': String(MAX_BODY_BYTES + 1) };
  const reply = await open(url, { line: 'POST /v1/jobs', token: 'b', headers: length });
  expect(reply.statusCode).toBe(413);
  reply.destroy();
  const huge = await askTcp(url, { ...LIST, headers: { 'x-filler': 'x'.repeat(300_000) } });
  expect([huge.status, JSON.parse(huge.text).error.details.expected]).toEqual([400, 'smaller headers']);
});

test('closing ends the listener and what is open there', async () => {
  const { url, server, fake } = await serve();
  const watch = await open(url, { line: 'GET /v1/jobs/12/watch', token: 'a' });
  watch.resume();
  await Promise.all([once(watch, 'end'), server.close()]);
  expect(fake.watchers.size).toBe(0);
  await expect(askTcp(url, LIST)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
