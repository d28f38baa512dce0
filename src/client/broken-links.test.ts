import { createServer } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Break, breakingServer } from '../../test/support/breaking-server.ts';
import { clientOf } from '../../test/support/client-on-socket.ts';
import { HELLO } from '../../test/support/ledger-at-hand.ts';
import { serveOn, socketPath } from '../../test/support/server-on-socket.ts';
import { until } from '../../test/support/until.ts';
import type { SpawnClient } from './client.ts';

const spec = { run: { kind: 'argv' as const, argv: ['true'] }, cwd: '/' };
type Method = readonly [name: string, call: (client: SpawnClient) => Promise<unknown>];

/** Twice does no harm. */
const SAFE: readonly Method[] = [
  ['submit', (client) => client.submit({ spec })],
  ['jobs', (client) => client.jobs()],
  ['job', (client) => client.job('12')],
  ['tasks', (client) => client.tasks('12')],
  ['cancel', (client) => client.cancel('12')],
  ['hold', (client) => client.hold('12')],
  ['release', (client) => client.release('12')],
  ['update', (client) => client.update('12', { throttle: 1 })],
  ['summary', (client) => client.summary('12')],
  ['why', (client) => client.why('12')],
  ['events', (client) => client.events()],
  ['spec', (client) => client.spec('12')],
  ['diffLogs', (client) => client.diffLogs('12')],
  ['suspend', (client) => client.suspend('12')],
  ['resume', (client) => client.resume('12')],
  ['prune', (client) => client.prune({ olderThanMs: 0 })],
  ['tokens', (client) => client.tokens()],
  ['revokeToken', (client) => client.revokeToken('ada')],
  ['alerts', (client) => client.alerts()],
  ['deleteAlert', (client) => client.deleteAlert(3)],
  ['deliveries', (client) => client.deliveries()],
  ['putBlob', (client) => client.putBlob('script', Uint8Array.of(1))],
  ['server', (client) => client.server()],
  ['exchange', (client) => client.exchange(7, { seq: 1, ack: 0, held: { count: 0, sum: 0 } })],
];
/** Twice would do more than once, or lose what was given. */
const UNSAFE: readonly Method[] = [
  ['retry', (client) => client.retry('12')],
  ['requeue', (client) => client.requeue('12')],
  ['signal', (client) => client.signal('12', { signal: 10 })],
  ['createToken', (client) => client.createToken({ name: 'ada', role: 'read' })],
  ['createAlert', (client) => client.createAlert({ channel: { kind: 'event' }, events: ['ended'] })],
  ['testAlert', (client) => client.testAlert(3)],
  ['hello', (client) => client.hello(HELLO)],
];
/** Replies that are read while they come. */
const OPEN: readonly Method[] = [
  ['watch', (client) => client.watch('12').next()],
  ['logs', (client) => Array.fromAsync(client.logs('12'))],
  ['grep', (client) => Array.fromAsync(client.grep('12', { pattern: 'x' }))],
];

async function behind(breaks: readonly Break[]) {
  const { path, fake } = await serveOn(socketPath());
  const near = socketPath();
  const { connections } = await breakingServer(near, path, breaks);
  return { client: clientOf(near), fake, connections };
}

describe.each(SAFE)('%s', (_, call) => {
  test('is sent again, the same each time, wherever the link breaks', async () => {
    const { client, fake, connections } = await behind(['before', 'head', 'body']);
    await call(client);
    expect(connections()).toBe(4);
    expect(fake.calls).toHaveLength(3);
    expect(fake.calls[1]).toEqual(fake.calls[0]);
    expect(fake.calls[2]).toEqual(fake.calls[0]);
  });

  test('is done when the link breaks behind the reply', async () => {
    const { client, fake } = await behind(['after']);
    await call(client);
    expect(fake.calls).toHaveLength(1);
  });
});

describe.each(UNSAFE)('%s', (_, call) => {
  test.each([
    ['before', 0],
    ['head', 1],
    ['body', 1],
  ] as const)('is not sent again after a break of kind "%s", and says so', async (how, arrived) => {
    const { client, fake, connections } = await behind([how]);
    await expect(call(client)).rejects.toMatchObject({
      code: 'SERVER_UNREACHABLE',
      message: expect.stringContaining('; whether the request was carried out is not known'),
    });
    expect([connections(), fake.calls.length]).toEqual([1, arrived]);
  });

  test('is done when the link breaks behind the reply', async () => {
    const { client, fake } = await behind(['after']);
    await call(client);
    expect(fake.calls).toHaveLength(1);
  });

  test('is sent when a server comes up where nobody listened', async () => {
    const path = socketPath();
    const done = call(clientOf(path));
    const { fake } = await serveOn(path);
    await done;
    expect(fake.calls).toHaveLength(1);
  });
});

test.each(OPEN)('%s begins again when the link breaks before its reply has begun', async (_, call) => {
  const { client, fake } = await behind(['before', 'head']);
  await call(client);
  expect(fake.calls).toHaveLength(2);
});

/** Answers with each in turn, the last one from then on. */
async function answering(...answers: readonly [status: number, headers?: Record<string, string>, body?: object][]) {
  const path = socketPath();
  const at: number[] = [];
  const server = createServer((_, reply) => {
    const [status, headers = {}, body] = answers[Math.min(at.push(performance.now()), answers.length) - 1]!;
    reply.writeHead(status, headers).end(body === undefined ? '<html>' : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return { path, at };
}

const JOB = { id: 12 };
const error = (code: string, details = {}) => ({ error: { code, message: code, details } });

test.each([
  ['the server', [503, { 'retry-after': '1' }, error('SERVER_STOPPING')], 'retry'],
  ['the door', [429, {}, error('RATE_LIMITED', { retryAfterMs: 300 })], 'retry'],
  ['a proxy', [503, { 'retry-after': '1' }], 'job'],
] as const)('a call waits as long as %s asks', async (_, refusal, method) => {
  const { path, at } = await answering([...refusal], [200, {}, JOB]);
  expect(await clientOf(path)[method]('12')).toEqual(JOB);
  expect(at).toHaveLength(2);
  expect(at[1]! - at[0]!).toBeGreaterThan('retry-after' in refusal[1] ? 950 : 290);
});

test('one that would have to wait for too long fails at once', async () => {
  const { path, at } = await answering([429, { 'retry-after': '3600' }, error('RATE_LIMITED')]);
  const refused = clientOf(path).job('12');
  await expect(refused).rejects.toMatchObject({ code: 'RATE_LIMITED', details: { retryAfterMs: 3_600_000 } });
  expect(at).toHaveLength(1);
});

test.each([502, 503, 504])('what a proxy says with %i is passing for what may be sent twice alone', async (status) => {
  const first = await answering([status], [200, {}, JOB]);
  expect(await clientOf(first.path).job('12')).toEqual(JOB);
  const second = await answering([status], [200, {}, JOB]);
  await expect(clientOf(second.path).retry('12')).rejects.toMatchObject({ code: 'INTERNAL', details: { status } });
  expect(second.at).toHaveLength(1);
});

test('other errors are sent once', async () => {
  for (const [status, code] of [
    [500, 'INTERNAL'],
    [507, 'STORE_FULL'],
    [409, 'CONFLICT'],
  ] as const) {
    const { path, at } = await answering([status, {}, error(code)]);
    await expect(clientOf(path).job('12')).rejects.toMatchObject({ code });
    expect(at).toHaveLength(1);
  }
});

test('a server that always refuses is asked a few times, further and further apart', async () => {
  const { path, at } = await answering([503, {}, error('SERVER_STOPPING')]);
  await expect(clientOf(path, { retryForMs: 1_000 }).job('12')).rejects.toMatchObject({ code: 'SERVER_STOPPING' });
  expect(at.length).toBeGreaterThan(3);
  expect(at.length).toBeLessThanOrEqual(9);
});

test.each([
  ['the wait between two tries', [503, { 'retry-after': '5' }, error('SERVER_STOPPING')] as const],
  ['the reply', undefined],
])('a signal ends a call at once during %s', async (_, answer) => {
  const abort = new AbortController();
  const { path, at } = answer === undefined ? { path: socketPath(), at: [1] } : await answering([...answer]);
  if (answer === undefined) (await serveOn(path)).fake.job = () => new Promise(() => {});
  const call = clientOf(path, { retryForMs: 600_000 }).job('12', { signal: abort.signal });
  await until('the first try', () => at.length === 1);
  const ended = expect(call).rejects.toThrow('enough');
  const from = performance.now();
  abort.abort(new Error('enough'));
  await ended;
  expect(performance.now() - from).toBeLessThan(1_000);
});

test('a signal ends a call that waits for a server to start, and a watch between two links', async () => {
  const abort = new AbortController();
  const onUnreachable = () => new Promise<void>(() => {});
  const started = clientOf(socketPath(), { onUnreachable }).job('12', { signal: abort.signal });
  const { path, server } = await serveOn(socketPath());
  const watch = clientOf(path).watch('12', { signal: abort.signal });
  await watch.next();
  const next = watch.next();
  await server.close();
  const ended = Promise.all([expect(started).rejects.toThrow('enough'), expect(next).rejects.toThrow('enough')]);
  abort.abort(new Error('enough'));
  await ended;
});
