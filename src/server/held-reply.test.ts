import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../../test/support/until.ts';
import { HeldReply } from './held-reply.ts';

const BACKLOG = 1024 * 1024;
const PIECE = 'x'.repeat(64 * 1024);

/** A reply that stays open, and its reader, which takes nothing until it is told to. */
async function open(): Promise<{ out: HeldReply; reader: IncomingMessage; held: Set<HeldReply> }> {
  const held = new Set<HeldReply>();
  const made = Promise.withResolvers<HeldReply>();
  const server = createServer((_request, raw) => {
    const options = { contentType: 'text/plain', ping: ' ', pingMs: 1_000_000, maxBacklogBytes: BACKLOG, held };
    made.resolve(new HeldReply({ hijack: () => {}, raw } as never, options));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const asked = request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  asked.end();
  const [reader] = (await once(asked, 'response')) as [IncomingMessage];
  reader.on('error', () => {});
  return { out: await made.promise, reader, held };
}

test('a reader that is far behind is cut off, however little it still takes now and then', async () => {
  const { out, held } = await open();
  let isOver = false;
  out.whenOver(() => {
    isOver = true;
  });
  // What the system itself takes for the reader comes first.
  for (let pieces = 0; pieces < 1_000 && !isOver; pieces++) {
    out.write(PIECE);
    await new Promise(setImmediate);
  }
  await until('the end', () => isOver);
  expect(held.size).toBe(0);
});

test('one that reads gets everything', async () => {
  const { out, reader, held } = await open();
  let bytes = 0;
  reader.on('data', (piece: Buffer) => {
    bytes += piece.length;
  });
  for (let pieces = 0; pieces < 100; pieces++) {
    out.write(PIECE);
    await until('it was taken', () => !out.isBehind);
  }
  out.end();
  await until('the end', () => reader.readableEnded);
  expect(bytes).toBe(100 * PIECE.length);
  await until('it is forgotten', () => held.size === 0);
});
