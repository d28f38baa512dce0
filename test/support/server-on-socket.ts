import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Timing } from '../../src/server/options.ts';
import { createServer, type Server } from '../../src/server/server.ts';
import { FakeUseCases } from './fake-use-cases.ts';

export interface ServerOnSocket {
  path: string;
  fake: FakeUseCases;
  server: Server;
}

/** A path for a socket in a directory that goes with the test. */
export function socketPath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'spawn-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'socket');
}

/** A server with fake use cases on a Unix socket until the test ends. */
export async function serveOn(
  path: string,
  timing: Partial<Timing> = {},
  onStop: () => void = () => {},
): Promise<ServerOnSocket> {
  const fake = new FakeUseCases();
  const server = await createServer(fake, { version: '0.1.0', onStop, timing: { closeGraceMs: 200, ...timing } });
  await server.listenUnix(path);
  onTestFinished(() => server.close());
  return { path, fake, server };
}

export interface RawReply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** One request as given, good or bad, on a connection of its own. */
export async function ask(
  path: string,
  line: string,
  body?: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<RawReply> {
  const [method = 'GET', url = '/'] = line.split(' ');
  const type =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const sent = request({ socketPath: path, method, path: url, headers: { ...type, ...headers }, agent: false });
  // A body that is refused before it was read breaks off, beside the reply.
  sent.on('error', () => {});
  sent.end(body);
  const [reply] = (await once(sent, 'response')) as [IncomingMessage];
  return {
    status: reply.statusCode ?? 0,
    headers: reply.headers,
    text: Buffer.concat(await reply.toArray()).toString(),
  };
}
