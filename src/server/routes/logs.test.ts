import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { expect, test } from 'vitest';
import { ask, serveOn, socketPath } from '../../../test/support/server-on-socket.ts';
import { until } from '../../../test/support/until.ts';

async function open(path: string): Promise<IncomingMessage> {
  const sent = request({ socketPath: path, path: '/v1/jobs/12/logs?follow=1', agent: false }).end();
  sent.on('error', () => {});
  const [reply] = (await once(sent, 'response')) as [IncomingMessage];
  return reply;
}

test('it sends the chunks as they are', async () => {
  const { path, fake } = await serveOn(socketPath());
  fake.logChunks = async function* () {
    yield Uint8Array.of(111, 110, 101);
    yield Uint8Array.of(10);
  };
  const reply = await ask(path, 'GET /v1/jobs/12_%5B1%2C3-5%5D/logs?stream=err&attempt=2');
  expect([reply.status, reply.headers['content-type'], reply.text]).toEqual([200, 'application/octet-stream', 'one\n']);
  expect(fake.calls).toEqual([['logs', '12_[1,3-5]', { stream: 'err', attempt: 2, follow: false }]]);
});

test('a slow reader holds the source back', async () => {
  const { path, fake } = await serveOn(socketPath());
  const chunk = new Uint8Array(64 * 1024);
  let made = 0;
  fake.logChunks = async function* () {
    for (; made < 1_000; made++) yield chunk;
  };
  const reply = await open(path);
  // The reader takes nothing: the source stops when the buffers on the way are full.
  let before = 0;
  let still = 0;
  await until('the source to stand still', () => {
    still = made === before ? still + 1 : 0;
    before = made;
    return made > 0 && still > 5;
  });
  expect(made).toBeLessThan(100);
  let bytes = 0;
  for await (const part of reply) bytes += part.length;
  expect(bytes).toBe(1_000 * chunk.length);
});

test('a reader that goes away ends the reading', async () => {
  const { path, fake } = await serveOn(socketPath());
  let ended = false;
  fake.logChunks = async function* (_query, signal) {
    try {
      yield Uint8Array.of(1);
      await once(signal, 'abort');
    } finally {
      ended = true;
    }
  };
  const reply = await open(path);
  reply.destroy();
  await until('the source to end', () => ended);
});

test('a source that fails midway breaks the reply off, so that it does not look whole', async () => {
  const { path, fake } = await serveOn(socketPath());
  fake.logChunks = async function* () {
    yield Uint8Array.of(1);
    throw new Error('disk on fire');
  };
  const reply = await open(path);
  await expect(reply.toArray()).rejects.toMatchObject({ code: 'ECONNRESET' });
});
