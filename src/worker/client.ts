import type { LogPieceReply } from '../api/access.ts';
import type { ExchangeReply, ExchangeRequest, HelloReply, HelloRequest, StreamMessage } from '../api/session.ts';

export interface CallOptions {
  /** Ends the call. */
  readonly signal?: AbortSignal;
  /** How long the client itself tries again, ms. */
  readonly retryForMs?: number;
}

/** What a worker asks of a coordinator: SpawnClient of src/client satisfies it. Every method rejects with SpawnError. */
export interface WorkerClient {
  hello(request: HelloRequest, options?: CallOptions): Promise<HelloReply>;
  /** Messages numbered above `after`, in order, until the connection ends or the signal aborts. */
  stream(sessionId: number, after: number, options?: CallOptions): AsyncIterable<StreamMessage>;
  exchange(sessionId: number, request: ExchangeRequest, options?: CallOptions): Promise<ExchangeReply>;
  bye(sessionId: number, options?: CallOptions): Promise<void>;
  /** A piece of a segment of this session, from `offset` on; gives how long the server's copy is. */
  putLog(
    sessionId: number,
    jobId: number,
    segment: number,
    offset: number,
    bytes: Uint8Array,
    options?: CallOptions,
  ): Promise<LogPieceReply>;
  /** The newest checkpoint of the task of this fence; undefined when there is none. */
  checkpoint(sessionId: number, fence: number, options?: CallOptions): Promise<Uint8Array | undefined>;
  putCheckpoint(sessionId: number, fence: number, bytes: Uint8Array, options?: CallOptions): Promise<void>;
  /** Keeps a piece of a plan, by its SHA-256. */
  putBlob(kind: 'plan', bytes: Uint8Array, options?: CallOptions): Promise<{ readonly hash: string }>;
  /** The bytes of a script or environment snapshot. */
  getBlob(hash: string, options?: CallOptions): Promise<Uint8Array>;
}

/** For calls that this worker repeats by itself. */
export const NO_RETRY = { retryForMs: 0 } as const;
