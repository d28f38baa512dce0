import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { serveOn, socketPath } from '../../../test/support/server-on-socket.ts';
import { until } from '../../../test/support/until.ts';

/** The reply, paused, with its lines collected once `lines` is read. */
async function open(path: string, url: string): Promise<{ reply: IncomingMessage; text: () => string }> {
  const sent = request({ socketPath: path, path: url, agent: false }).end();
  sent.on('error', () => {});
  onTestFinished(() => void sent.destroy());
  const [reply] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  reply.setEncoding('utf8');
  reply.on('data', (chunk: string) => {
    text += chunk;
  });
  return { reply, text: () => text };
}

test('what was written before the reply began comes first, then the rest', async () => {
  const { path, fake } = await serveOn(socketPath());
  fake.replayed = ['{"type":"drain","n":4}', '{"type":"drain","n":5}'];
  const { reply, text } = await open(path, '/v1/sessions/7/stream?after=3');
  expect([reply.statusCode, reply.headers['content-type']]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
  expect(fake.calls).toEqual([['stream', 7, 3]]);
  for (const sink of fake.sinks) sink.write('{"type":"drain","n":6}');
  const all = '{"type":"drain","n":4}\n{"type":"drain","n":5}\n{"type":"drain","n":6}\n';
  await until('three lines', () => text() === all);
});

test('a quiet stream says ping', async () => {
  const { path } = await serveOn(socketPath(), { streamPingMs: 5 });
  const { text } = await open(path, '/v1/sessions/7/stream');
  await until('two pings', () => text().startsWith('{"type":"ping"}\n{"type":"ping"}\n'));
});

test('a reader that goes away is detached', async () => {
  const { path, fake } = await serveOn(socketPath());
  const { reply } = await open(path, '/v1/sessions/7/stream');
  expect(fake.sinks.size).toBe(1);
  reply.destroy();
  await until('no sink', () => fake.sinks.size === 0);
});

test('a reader that went away before the reply began is detached', async () => {
  const { path, fake } = await serveOn(socketPath());
  const socket = connect(path);
  socket.write('GET /v1/sessions/7/stream HTTP/1.1\r\nhost: x\r\n\r\n', () => socket.destroy());
  await once(socket, 'close');
  const next = await open(path, '/v1/sessions/7/stream');
  await until('only the second sink', () => fake.sinks.size <= 1);
  next.reply.destroy();
  await until('no sink', () => fake.sinks.size === 0);
});

test('the coordinator can end it, after what it wrote, at any time', async () => {
  const { path, fake } = await serveOn(socketPath());
  const { reply, text } = await open(path, '/v1/sessions/7/stream');
  for (const sink of [...fake.sinks]) {
    sink.write('{"type":"drain","n":1}');
    sink.close();
    sink.write('{"type":"drain","n":2}');
  }
  await once(reply, 'end');
  expect(text()).toBe('{"type":"drain","n":1}\n');
  await until('no sink', () => fake.sinks.size === 0);
});

test('a stuck reader with too much waiting for it is cut off', async () => {
  const { path, fake } = await serveOn(socketPath(), { streamPingMs: 20 });
  const { reply } = await open(path, '/v1/sessions/7/stream');
  reply.pause();
  const mebibyte = 'x'.repeat(2 ** 20);
  for (const sink of fake.sinks) for (let i = 0; i < 70; i++) sink.write(mebibyte);
  await until('no sink', () => fake.sinks.size === 0);
});

test('a slow reader gets everything', async () => {
  const { path, fake } = await serveOn(socketPath(), { streamPingMs: 20 });
  const { reply, text } = await open(path, '/v1/sessions/7/stream');
  reply.pause();
  const mebibyte = 'x'.repeat(2 ** 20);
  for (const sink of fake.sinks) for (let i = 0; i < 8; i++) sink.write(mebibyte);
  const [sink] = fake.sinks;
  sink?.close();
  reply.resume();
  await once(reply, 'end');
  expect(text().length).toBe(8 * (2 ** 20 + 1));
});
