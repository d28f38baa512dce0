import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { SpawnClient } from '../client.ts';
import { httpTransport } from './http-transport.ts';

async function echo(): Promise<{
  port: number;
  asked: { url: string; headers: IncomingHttpHeaders; socket: object }[];
}> {
  const asked: { url: string; headers: IncomingHttpHeaders; socket: object }[] = [];
  const server = createServer((request, reply) => {
    asked.push({ url: request.url ?? '', headers: request.headers, socket: request.socket });
    reply.setHeader('content-type', 'application/json');
    reply.end('{"jobs":[]}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, asked };
}

test('it sends the token with every request, over one connection', async () => {
  const { port, asked } = await echo();
  const transport = httpTransport(`http://127.0.0.1:${port}`, { token: 'secret' });
  const client = new SpawnClient({ transport });
  onTestFinished(() => client.close());
  expect(await client.jobs({ name: 'a' })).toEqual({ jobs: [] });
  await client.jobs();
  expect(asked.map(({ url, headers }) => [url, headers.authorization, headers.host])).toEqual([
    ['/v1/jobs?name=a', 'Bearer secret', `127.0.0.1:${port}`],
    ['/v1/jobs', 'Bearer secret', `127.0.0.1:${port}`],
  ]);
  expect(asked[0]?.socket).toBe(asked[1]?.socket);
  expect(transport.address).toBe(`http://127.0.0.1:${port}`);
});

test('a request that may not be sent twice gets a connection of its own', async () => {
  const { port, asked } = await echo();
  const client = new SpawnClient({ transport: httpTransport(`http://127.0.0.1:${port}`) });
  onTestFinished(() => client.close());
  await client.jobs();
  await client.requeue('12');
  expect(asked[1]?.headers['content-length']).toBe('2');
  expect(asked[0]?.socket).not.toBe(asked[1]?.socket);
});

test('nobody there is SERVER_UNREACHABLE with the address', async () => {
  const { port } = await echo();
  const free = port === 1 ? 2 : 1;
  const client = new SpawnClient({ transport: httpTransport(`http://127.0.0.1:${free}`), retryForMs: 0 });
  await expect(client.jobs()).rejects.toMatchObject({
    code: 'SERVER_UNREACHABLE',
    message: `server http://127.0.0.1:${free} cannot be reached: nobody listens there`,
  });
});

test.each([
  ['x', 'x'],
  ['ftp://host', 'ftp://host'],
  ['http://host/path', 'http://host'],
  ['https://host?token=1', 'https://host'],
  ['https://me:secret@host', 'https://host'],
])('%s is refused without telling its secrets', (url, shown) => {
  expect(() => httpTransport(url)).toThrow(
    expect.objectContaining({
      code: 'BAD_REQUEST',
      message: `server URL: expected http://HOST:PORT or https://HOST:PORT, found "${shown}"`,
    }),
  );
});
