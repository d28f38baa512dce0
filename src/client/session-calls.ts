import type { LogPieceReply } from '../api/access.ts';
import type { PeersReply } from '../api/instance.ts';
import type { ExchangeReply, ExchangeRequest, HelloReply, HelloRequest, StreamMessage } from '../api/session.ts';
import { isSpawnError } from '../core/errors.ts';
import { Calls, call, OCTETS } from './calls.ts';
import type { CallOptions } from './connection.ts';
import { readNdjson } from './ndjson.ts';

/** What only workers call. */
export class SessionCalls extends Calls {
  /** For workers only. */
  getBlob(hash: string, options?: CallOptions): Promise<Uint8Array> {
    return this.connection.bytes(call('GET', `/v1/blobs/${encodeURIComponent(hash)}`, options));
  }

  /** Not sent again when the link breaks: each opens a session. */
  hello(request: HelloRequest, options?: CallOptions): Promise<HelloReply> {
    return this.json('POST', '/v1/sessions', options, { body: request, repeatable: false });
  }

  /**
   * The messages of a session numbered above `after`, pings included, over one connection that is not retried. Ends when the
   * server ends it; SERVER_UNREACHABLE when it breaks or brings nothing for `idleMs`.
   */
  async *stream(
    sessionId: number,
    after: number,
    options?: CallOptions,
  ): AsyncGenerator<StreamMessage, void, undefined> {
    const request = call('GET', `/v1/sessions/${sessionId}/stream?after=${after}`, { retryForMs: 0, ...options });
    const body = await this.connection.open(request, this.connection.idleMs);
    yield* readNdjson(this.linked(body)) as AsyncGenerator<StreamMessage, void, undefined>;
  }

  /** Safe to send again: the server replays its reply to a repeated `seq`. */
  exchange(sessionId: number, request: ExchangeRequest, options?: CallOptions): Promise<ExchangeReply> {
    return this.json('POST', `/v1/sessions/${sessionId}/exchange`, options, { body: request });
  }

  /** A piece of a segment of this session's worker; safe to send again. */
  putLog(
    sessionId: number,
    jobId: number,
    segment: number,
    offset: number,
    bytes: Uint8Array,
    options?: CallOptions,
  ): Promise<LogPieceReply> {
    const path = `/v1/sessions/${sessionId}/logs/${jobId}/${segment}?offset=${offset}`;
    return this.connection.json({ ...call('PUT', path, options), headers: OCTETS, body: bytes });
  }

  /** The newest checkpoint of the task of a grant, also when an earlier attempt put it; undefined when there is none. */
  async checkpoint(sessionId: number, fence: number, options?: CallOptions): Promise<Uint8Array | undefined> {
    try {
      return await this.connection.bytes(call('GET', `/v1/sessions/${sessionId}/checkpoints/${fence}`, options));
    } catch (error) {
      if (isSpawnError(error) && error.code === 'FILE_NOT_FOUND') return undefined;
      throw error;
    }
  }

  /** Replaces the checkpoint of the task of a grant; durable when it resolves, and safe to send again. */
  async putCheckpoint(sessionId: number, fence: number, bytes: Uint8Array, options?: CallOptions): Promise<void> {
    const request = call('PUT', `/v1/sessions/${sessionId}/checkpoints/${fence}`, options);
    await this.connection.bytes({ ...request, headers: OCTETS, body: bytes });
  }

  /** Who runs in the instance array of a session's instance. Errors: SESSION_UNKNOWN; BAD_REQUEST for a session without an instance. */
  peers(sessionId: number, options?: CallOptions): Promise<PeersReply> {
    return this.json('GET', `/v1/sessions/${sessionId}/peers`, options);
  }

  async bye(sessionId: number, options?: CallOptions): Promise<void> {
    await this.connection.bytes(call('DELETE', `/v1/sessions/${sessionId}`, options));
  }
}
