import { type Call, type CallOptions, type ClientOptions, Connection } from './connection.ts';
import { toSpawnError } from './retry.ts';
import type { TransportRequest } from './transport.ts';

/** What the methods of a client are made of. */
export class Calls {
  protected readonly connection: Connection;

  constructor(options: ClientOptions) {
    this.connection = new Connection(options);
  }

  /** Lets go of idle connections. */
  close(): void {
    this.connection.close();
  }

  protected json<T>(
    method: TransportRequest['method'],
    path: string,
    options: CallOptions = {},
    sent: { body?: unknown; repeatable?: boolean } = {},
  ): Promise<T> {
    const { body, repeatable = true } = sent;
    const request = { ...call(method, path, options), repeatable };
    if (body === undefined) return this.connection.json(request);
    return this.connection.json({ ...request, headers: JSON_TYPE, body: JSON.stringify(body) });
  }

  protected async *linked(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* chunks;
    } catch (error) {
      throw toSpawnError(error, this.connection.address);
    }
  }
}

const JSON_TYPE = { 'content-type': 'application/json' };
export const OCTETS = { 'content-type': 'application/octet-stream' };

export function call(method: TransportRequest['method'], path: string, options: CallOptions = {}): Call {
  return { method, path, repeatable: true, ...options };
}
