import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { onTestFinished } from 'vitest';
import type { UseCases } from '../../src/coordinator/use-cases.ts';
import type { TcpOptions } from '../../src/server/listen-tcp.ts';
import type { Timing } from '../../src/server/options.ts';
import { createServer, type Server } from '../../src/server/server.ts';

export interface ServerOnTcp {
  readonly url: string;
  readonly server: Server;
}

/** A server on a free port of this machine until the test ends. */
export async function serveOnTcp(
  useCases: UseCases,
  timing: Partial<Timing> = {},
  options: Partial<TcpOptions> = {},
): Promise<ServerOnTcp> {
  const server = await createServer(useCases, {
    version: '0.1.0',
    onStop: () => {},
    timing: { closeGraceMs: 200, ...timing },
  });
  onTestFinished(() => server.close());
  return { url: await server.listenTcp({ host: '127.0.0.1', port: 0, ...options }), server };
}

export interface Question {
  /** As in `GET /v1/jobs`. */
  readonly line: string;
  readonly token?: string | undefined;
  readonly body?: string | Uint8Array | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly ca?: string;
}

/** The reply to one request on a connection of its own. Its body may still arrive. */
export async function open(url: string, question: Question): Promise<IncomingMessage> {
  const { line, token, body, headers = {}, ca } = question;
  const [method = '', path = ''] = line.split(' ');
  const { protocol, hostname, port } = new URL(url);
  const sent = (protocol === 'https:' ? tlsRequest : plainRequest)({
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port,
    method,
    path,
    agent: false,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...headers,
    },
    ...(ca === undefined ? {} : { ca }),
  });
  sent.end(body);
  const [reply] = (await once(sent, 'response')) as [IncomingMessage];
  return reply;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** The whole reply; of one that does not end, only its head. */
export async function askTcp(url: string, question: Question): Promise<Answer> {
  const reply = await open(url, question);
  const { statusCode: status = 0, headers } = reply;
  if (status === 200 && /event-stream|ndjson/.test(headers['content-type'] ?? '')) {
    reply.destroy();
    return { status, headers, text: '' };
  }
  return { status, headers, text: Buffer.concat(await reply.toArray()).toString() };
}
