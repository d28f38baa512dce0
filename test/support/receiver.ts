import { once } from 'node:events';
import {
  createServer as createHttp,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { PAIRS } from './certificates.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Who gets webhooks: a real server on this machine, which can be killed and brought back. */
export class Receiver {
  readonly received: Received[] = [];
  answer: (request: Received, reply: ServerResponse) => void = (_, reply) => reply.end('ok');
  readonly #tls: boolean;
  #server: Server | undefined;
  port = 0;

  constructor(tls = false) {
    this.#tls = tls;
  }

  async start(): Promise<void> {
    const listen: RequestListener = (request, reply) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        const received = { path: request.url ?? '', headers: request.headers, body };
        this.received.push(received);
        this.answer(received, reply);
      });
    };
    const { cert, key } = PAIRS.a;
    this.#server = this.#tls ? createHttps({ cert, key }, listen) : createHttp(listen);
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
  }

  /** As a killed process: what is open is cut. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  url(host = 'localhost', path = '/hook'): string {
    return `${this.#tls ? 'https' : 'http'}://${host}:${this.port}${path}`;
  }
}
