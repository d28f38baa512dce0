import { once } from 'node:events';
import { connect } from 'node:net';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { FakeUseCases } from '../../test/support/fake-use-cases.ts';
import { ask, serveOn, socketPath } from '../../test/support/server-on-socket.ts';
import { until } from '../../test/support/until.ts';
import { SpawnError } from '../core/errors.ts';
import { createServer } from './server.ts';

const spec = { run: { kind: 'argv', argv: ['true'] }, cwd: '/' };

test('an idempotency key may come in the header or the body', async () => {
  const { path, fake } = await serveOn(socketPath());
  await ask(path, 'POST /v1/jobs', JSON.stringify({ spec }), { 'idempotency-key': 'k1' });
  await ask(path, 'POST /v1/jobs', JSON.stringify({ spec, idempotencyKey: 'k2' }), { 'idempotency-key': 'k2' });
  await ask(path, 'POST /v1/jobs', JSON.stringify({ spec }));
  expect(fake.calls.map(([, request]) => (request as { idempotencyKey?: string }).idempotencyKey)).toEqual([
    'k1',
    'k2',
    undefined,
  ]);
});

test('defaults of the contract are filled in before the use case sees a request', async () => {
  const { path, fake } = await serveOn(socketPath());
  await ask(path, 'POST /v1/jobs', JSON.stringify({ spec }));
  await ask(path, 'GET /v1/jobs?limit=5');
  expect(fake.calls).toMatchObject([
    ['submit', { spec: { throttle: 0, cpus: 1, graceMs: 5_000, invalidDependency: 'skip', env: {} } }],
    ['jobs', { show: 'live', limit: 5 }],
  ]);
});

test.each(['cancel', 'retry', 'requeue', 'hold', 'release'])('%s without a body touches all tasks', async (verb) => {
  const { path, fake } = await serveOn(socketPath());
  const reply = await ask(path, `POST /v1/jobs/12/${verb}`);
  expect([reply.status, JSON.parse(reply.text).tasks]).toEqual([200, 3]);
  await ask(path, `POST /v1/jobs/12/${verb}`, '{"index":"1-2"}');
  expect(fake.calls).toEqual([
    [verb, '12', {}],
    [verb, '12', { index: '1-2' }],
  ]);
});

test('a blob is bytes on the way in and out, also when it is empty', async () => {
  const { path, fake } = await serveOn(socketPath());
  const type = { 'content-type': 'application/octet-stream' };
  const put = await ask(path, 'POST /v1/blobs/env', '{"not":"parsed"', type);
  const { hash } = JSON.parse(put.text);
  const got = await ask(path, `GET /v1/blobs/${hash}`);
  expect([got.headers['content-type'], got.text]).toEqual(['application/octet-stream', '{"not":"parsed"']);
  await ask(path, 'POST /v1/blobs/script', '', type);
  expect(fake.calls.at(-1)).toEqual(['putBlob', 'script', 0]);
});

test('an error of the domain keeps its code, details and status', async () => {
  const { path, fake } = await serveOn(socketPath());
  const failure = new SpawnError('STORE_FULL', { why: 'disk' });
  fake.failure = failure;
  const reply = await ask(path, 'POST /v1/jobs/12/hold');
  expect(reply.status).toBe(507);
  expect(JSON.parse(reply.text)).toEqual({ error: failure.toJSON() });
});

test.each([
  ['an Error', new Error('secret: /home/me/token')],
  ['an INTERNAL error', new SpawnError('INTERNAL', { why: 'secret' })],
  ['an error that looks like one of the framework', Object.assign(new Error('secret'), { code: 'FST_ERR_SECRET' })],
])('%s of our own tells the caller nothing and the log all', async (_, failure) => {
  const lines: string[] = [];
  const logger = pino({}, { write: (line: string) => lines.push(line) });
  const fake = new FakeUseCases();
  fake.failure = failure;
  const server = await createServer(fake, { version: '0.1.0', logger });
  const reply = await server.inject({ url: '/v1/jobs/12' });
  expect([reply.statusCode, reply.json()]).toEqual([
    500,
    { error: { code: 'INTERNAL', message: 'internal error: see the log of the server', details: {} } },
  ]);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('secret');
  expect(JSON.parse(lines[0] ?? '').err.stack).toContain('server.test.ts');
  await server.close();
});

test('requests are not logged', async () => {
  const lines: string[] = [];
  const logger = pino({}, { write: (line: string) => lines.push(line) });
  const server = await createServer(new FakeUseCases(), { version: '0.1.0', logger });
  await server.inject({ url: '/v1/jobs' });
  await server.inject({ url: '/v1/nothing' });
  expect(lines).toEqual([]);
  await server.close();
});

test('stop replies first, then calls', async () => {
  let stopped = 0;
  const { path } = await serveOn(socketPath(), {}, () => stopped++);
  const reply = await ask(path, 'POST /v1/server/stop');
  expect([reply.status, reply.text]).toEqual([200, '{"stopping":true}']);
  await until('the call', () => stopped === 1);
});

test('close ends what stays open, answers what is under way and refuses the rest', async () => {
  const { path, fake, server } = await serveOn(socketPath());
  const stream = ask(path, 'GET /v1/sessions/7/stream');
  const watch = ask(path, 'GET /v1/jobs/12/watch');
  await until('both open', () => fake.sinks.size === 1 && fake.watchers.size === 1);

  const { job } = fake;
  const waiting = Promise.withResolvers<void>();
  let asked = false;
  fake.job = async (...args) => {
    asked = true;
    await waiting.promise;
    return job(...args);
  };
  const slow = ask(path, 'GET /v1/jobs/12');
  await until('a request under way', () => asked);
  const kept = connect(path);
  kept.write('GET /v1/server HTTP/1.1\r\nhost: x\r\n\r\nGET /v1/jobs/12 HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(kept, 'data');

  const closed = server.close();
  expect((await stream).text).toBe('');
  expect((await watch).status).toBe(200);
  waiting.resolve();
  expect((await slow).status).toBe(200);
  kept.destroy();
  await closed;
  await expect(ask(path, 'GET /v1/server')).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a request that comes while the server stops is refused', async () => {
  const { path, server } = await serveOn(socketPath());
  const socket = connect(path);
  socket.write('GET /v1/server HTTP/1.1\r\nhost:');
  await ask(path, 'GET /v1/server');
  const closed = server.close();
  socket.write(' x\r\n\r\n');
  const text = Buffer.concat(await socket.toArray()).toString();
  expect(text).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
  expect(text).toContain('connection: close');
  expect(text).toContain('"code":"SERVER_STOPPING","message":"the server is stopping; try again"');
  await closed;
});

test('a request must arrive in time, while a reply may take as long as it likes', async () => {
  const { path, fake } = await serveOn(socketPath(), { requestMs: 20, streamPingMs: 5 });
  const stream = ask(path, 'GET /v1/sessions/7/stream');
  const socket = connect(path);
  socket.write('POST /v1/jobs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{');
  const text = Buffer.concat(await socket.toArray()).toString();
  expect(text).toContain('"message":"request: expected all of it within the time limit, found');
  for (const sink of fake.sinks) sink.close();
  expect((await stream).status).toBe(200);
});

test('close does not wait for ever', async () => {
  const { path, fake, server } = await serveOn(socketPath(), { closeGraceMs: 20 });
  fake.job = () => new Promise(() => {});
  const hangs = ask(path, 'GET /v1/jobs/12');
  const broken = expect(hangs).rejects.toMatchObject({ code: 'ECONNRESET' });
  await until('the connection', async () => (await ask(path, 'GET /v1/server')).status === 200);
  await server.close();
  await broken;
});
