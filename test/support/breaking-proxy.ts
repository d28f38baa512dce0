import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * What becomes of one request: `pass`; `refuse`: 503 without asking; `reset`: the connection ends before it is passed on; `lose`: it is
 * carried out, and its answer is lost; a number: the connection ends after so many bytes of the answer's body.
 */
export type Fate = 'pass' | 'refuse' | 'reset' | 'lose' | number;

/** Stands before an HTTP server and breaks what it is told to break. Requests keep their Host, so signatures stay right. */
export class BreakingProxy {
  /** Decides about each request; default all pass. */
  fate: (request: { readonly method: string; readonly url: string }) => Fate = () => 'pass';
  readonly #server: Server;
  readonly #to: URL;

  private constructor(to: string) {
    this.#to = new URL(to);
    this.#server = createServer({ keepAliveTimeout: 1_000 }, (asked, reply) => this.#take(asked, reply));
    // A client that waits to be told to send its body is told by the server behind.
    this.#server.on('checkContinue', (asked: IncomingMessage, reply: ServerResponse) => {
      reply.writeContinue();
      this.#take(asked, reply);
    });
  }

  static async before(endpoint: string): Promise<BreakingProxy> {
    const proxy = new BreakingProxy(endpoint);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server.close(), 'close');
    this.#server.closeAllConnections();
    await closed;
  }

  #take(asked: IncomingMessage, reply: ServerResponse): void {
    const fate = this.fate({ method: asked.method!, url: asked.url! });
    if (fate === 'reset') {
      asked.socket.resetAndDestroy();
      return;
    }
    if (fate === 'refuse') {
      asked.resume();
      reply.writeHead(503).end('<Error><Code>SlowDown</Code><Message>Please slow down</Message></Error>');
      return;
    }
    const { expect: _, ...headers } = asked.headers;
    const onward = request(
      { host: this.#to.hostname, port: this.#to.port, method: asked.method!, path: asked.url!, headers },
      (answer) => {
        if (fate === 'lose') {
          answer.resume().on('end', () => asked.socket.destroy());
          return;
        }
        reply.writeHead(answer.statusCode!, answer.headers);
        let left = fate === 'pass' ? Number.POSITIVE_INFINITY : fate;
        answer.on('data', (bytes: Uint8Array) => {
          const more = reply.write(bytes.subarray(0, left));
          left -= bytes.length;
          if (left < 0) reply.write('', () => asked.socket.destroy());
          else if (!more) {
            answer.pause();
            reply.once('drain', () => answer.resume());
          }
        });
        answer.on('end', () => reply.end());
        answer.on('error', () => asked.socket.destroy());
      },
    );
    onward.on('error', () => asked.socket.destroy());
    asked.on('close', () => {
      if (!asked.complete) onward.destroy();
    });
    asked.pipe(onward);
  }
}
