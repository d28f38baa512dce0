import { expect, onTestFinished, test } from 'vitest';
import { clientOf, unreliable } from '../../test/support/client-on-socket.ts';
import { FakeUseCases } from '../../test/support/fake-use-cases.ts';
import { serveOn, socketPath } from '../../test/support/server-on-socket.ts';
import { until } from '../../test/support/until.ts';
import { MAX_BLOB_BYTES } from '../api/limits.ts';
import { createServer } from '../server/server.ts';
import { AlertCalls } from './alert-calls.ts';
import { SpawnClient } from './client.ts';
import { InstanceCalls } from './instance-calls.ts';
import { ListCalls } from './list-calls.ts';
import { SessionCalls } from './session-calls.ts';
import { WorkflowCalls } from './workflow-calls.ts';

const spec = { run: { kind: 'argv' as const, argv: ['true'] }, cwd: '/' };
const exchange = { seq: 1, ack: 0, held: { count: 0, sum: 0 } };

test('each method calls its use case', async () => {
  const { path, fake } = await serveOn(socketPath());
  const client = clientOf(path);
  const hello = {
    worker: 'w',
    host: 'h',
    pid: 1,
    bootId: 'b',
    resources: { cpus: 1, memoryBytes: 0 },
    api: 1,
    version: '1',
  };
  expect((await client.submit({ spec, idempotencyKey: 'k' })).job.id).toBe(12);
  expect((await client.jobs({ show: 'all', name: 'a b&c', limit: 3 })).jobs).toHaveLength(1);
  expect((await client.job('12')).name).toBe('sim');
  await client.tasks('12', { state: 'failed,ready', index: '1-5', after: 7 });
  expect((await client.queue({ ids: '12,13', names: ['a', 'b'], ended: 300 })).jobs[0]!.groups[0]!.count).toBe(3);
  expect(await Array.fromAsync(client.allQueue({ limit: 5 }))).toHaveLength(1);
  expect((await client.history({ names: 'a', attempts: 'all' })).now).toBe(1_000);
  expect(await Array.fromAsync(client.allHistory({ ids: '12' }))).toHaveLength(1);
  expect((await client.cancel('12_[1,3-5]')).tasks).toBe(3);
  await client.retry('12', { index: '1' });
  await client.requeue('12');
  await client.hold('12');
  await client.release('12');
  await client.suspend('12_7');
  await client.resume('12_7', { index: '7' });
  await client.signal('12_7', { signal: 10 });
  await client.update('12', { throttle: 5 });
  expect((await client.server()).storeId).toBe('s1');
  expect((await client.hello(hello)).sessionId).toBe(7);
  expect(await client.exchange(7, exchange)).toMatchObject({ seq: 1, stale: 0 });
  await client.bye(7);
  expect(fake.calls).toMatchObject([
    ['submit', { spec, idempotencyKey: 'k' }],
    ['jobs', { show: 'all', name: 'a b&c', limit: 3 }],
    ['job', '12'],
    ['tasks', '12', { state: 'failed,ready', index: '1-5', after: 7 }],
    ['queue', { ids: '12,13', names: ['a', 'b'], ended: 300 }],
    ['queue', { limit: 5 }],
    ['history', { names: 'a', attempts: 'all' }],
    ['history', { ids: '12' }],
    ['cancel', '12_[1,3-5]', {}],
    ['retry', '12', { index: '1' }],
    ['requeue', '12', {}],
    ['hold', '12', {}],
    ['release', '12', {}],
    ['suspend', '12_7', {}],
    ['resume', '12_7', { index: '7' }],
    ['signal', '12_7', { signal: 10, scope: 'all' }],
    ['update', '12', { throttle: 5 }],
    ['server'],
    ['hello', hello],
    ['exchange', 7, exchange],
    ['bye', 7],
  ]);
});

test('blobs and logs are bytes', async () => {
  const { path, fake } = await serveOn(socketPath());
  const client = clientOf(path);
  const bytes = Uint8Array.of(0, 255, 10);
  const { hash } = await client.putBlob('script', bytes);
  expect(Array.from(await client.getBlob(hash))).toEqual([0, 255, 10]);
  fake.logChunks = async function* () {
    yield bytes;
    yield bytes;
  };
  const read = await Array.fromAsync(client.logs('12', { follow: '1', stream: 'out' }));
  expect(Buffer.concat(read)).toEqual(Buffer.from([0, 255, 10, 0, 255, 10]));
  expect(fake.calls.at(-1)).toEqual(['logs', '12', { stream: 'out', follow: true }]);
});

test('errors of the server come out as they went in', async () => {
  const { path } = await serveOn(socketPath());
  const client = clientOf(path);
  await expect(client.job('99')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND', details: { ref: '99' } });
  await expect(client.putBlob('script', new Uint8Array(MAX_BLOB_BYTES + 1))).rejects.toMatchObject({
    code: 'BODY_TOO_LARGE',
    message: `request body: expected at most ${MAX_BLOB_BYTES} bytes`,
  });
  await expect(client.logs('99').next()).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  await expect(client.watch('99').next()).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  await expect(client.stream(8, 0).next()).rejects.toMatchObject({ code: 'SESSION_UNKNOWN' });
});

test('an answer that is not of this API is not taken for one', async () => {
  const path = socketPath();
  const { createServer } = process.getBuiltinModule('node:http');
  const proxy = createServer((_, reply) => reply.writeHead(404).end('<html>'));
  await new Promise<void>((resolve) => void proxy.listen(path, resolve));
  onTestFinished(() => void proxy.close());
  await expect(clientOf(path).job('1')).rejects.toMatchObject({
    code: 'INTERNAL',
    message: 'internal error: the server replied with status 404 and no error of its own',
  });
});

test('no server is SERVER_UNREACHABLE with the path', async () => {
  const path = socketPath();
  await expect(clientOf(path, { retryForMs: 0 }).jobs()).rejects.toMatchObject({
    code: 'SERVER_UNREACHABLE',
    message: `server ${path} cannot be reached: there is no socket`,
  });
});

test('a server that comes up later is waited for, and started once for all who wait', async () => {
  const path = socketPath();
  let started = 0;
  const client = clientOf(path, {
    onUnreachable: async () => {
      started++;
      await serveOn(path);
    },
  });
  const [job, jobs] = await Promise.all([client.job('12'), client.jobs()]);
  expect([job.id, jobs.jobs.length, started]).toEqual([12, 1, 1]);
});

test('a submit whose reply was lost is sent again under the same key', async () => {
  const { path, fake } = await serveOn(socketPath());
  const near = socketPath();
  await unreliable(near, path, (connection) => connection < 2);
  await clientOf(near).submit({ spec });
  const keys = fake.calls.map(([, request]) => (request as { idempotencyKey: string }).idempotencyKey);
  expect(keys).toHaveLength(3);
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
  await clientOf(path).submit({ spec });
  expect(fake.calls.at(-1)).not.toMatchObject(['submit', { idempotencyKey: keys[0] }]);
});

test('a requeue whose reply was lost is not sent again', async () => {
  const { path, fake } = await serveOn(socketPath());
  const near = socketPath();
  await unreliable(near, path, () => true);
  await expect(clientOf(near).requeue('12')).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
  expect(fake.calls).toEqual([['requeue', '12', {}]]);
});

test('a server that does not answer in time is left, and the call can be ended from outside', async () => {
  const { path, fake } = await serveOn(socketPath());
  fake.job = () => new Promise(() => {});
  await expect(clientOf(path, { timeoutMs: 20, retryForMs: 0 }).job('12')).rejects.toMatchObject({
    code: 'SERVER_UNREACHABLE',
    message: `server ${path} cannot be reached: it sent nothing for 20 ms`,
  });
  const abort = new AbortController();
  const call = clientOf(path).job('12', { signal: abort.signal });
  abort.abort(new Error('enough'));
  await expect(call).rejects.toThrow('enough');
  await expect(clientOf(path).job('12', { signal: abort.signal })).rejects.toThrow('enough');
});

test('a log that breaks off is an error, not an end', async () => {
  const { path, fake } = await serveOn(socketPath());
  fake.logChunks = async function* () {
    yield Uint8Array.of(1);
    throw new Error('disk on fire');
  };
  const logs = clientOf(path).logs('12');
  await logs.next();
  await expect(logs.next()).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
});

test('a slow reader of a log holds the server back', async () => {
  const { path, fake } = await serveOn(socketPath());
  let made = 0;
  fake.logChunks = async function* () {
    for (; made < 1_000; made++) yield new Uint8Array(64 * 1024);
  };
  let bytes = 0;
  let ahead = 0;
  for await (const chunk of clientOf(path).logs('12')) {
    bytes += chunk.length;
    ahead = Math.max(ahead, made - bytes / (64 * 1024));
    if (made < 1_000) await new Promise((resolve) => setImmediate(resolve));
  }
  expect([bytes, made]).toEqual([1_000 * 64 * 1024, 1_000]);
  expect(ahead).toBeLessThan(100);
});

test('stopping the server does not start one', async () => {
  let stopped = 0;
  const { path } = await serveOn(socketPath(), {}, () => stopped++);
  expect(await clientOf(path).stopServer()).toEqual({ stopping: true });
  await until('the call', () => stopped === 1);
});

test('the methods are the operations of the OpenAPI document', async () => {
  const server = await createServer(new FakeUseCases(), { version: '0.1.0' });
  const document = (await server.inject({ url: '/v1/openapi.json' })).json() as { paths: Record<string, object> };
  const operations = Object.values(document.paths).flatMap((path) =>
    Object.values(path).map((operation: { operationId: string }) => operation.operationId),
  );
  const methods = [SpawnClient, AlertCalls, InstanceCalls, WorkflowCalls, ListCalls, SessionCalls].flatMap(
    ({ prototype }) => Object.getOwnPropertyNames(prototype),
  );
  // What only puts other methods together.
  const more = /^(?:constructor|close|output|all[A-Z].*)$/;
  expect([...methods.filter((name) => !more.test(name)), 'openapi'].toSorted()).toEqual(operations.toSorted());
  await server.close();
});
