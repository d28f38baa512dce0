import type { BlobReply, StopReply } from '../api/http.ts';
import type {
  JobDelta,
  JobsQueryInput,
  JobsReply,
  JobView,
  LogQueryInput,
  Selection,
  SubmitReply,
  SubmitRequestInput,
  TasksQueryInput,
  TasksReply,
  UpdateRequest,
  VerbReply,
} from '../api/job.ts';
import type {
  ExchangeReply,
  ExchangeRequest,
  HelloReply,
  HelloRequest,
  ServerView,
  StreamMessage,
} from '../api/session.ts';
import { type Call, type CallOptions, type ClientOptions, Connection } from './connection.ts';
import { readNdjson } from './ndjson.ts';
import { toSpawnError } from './retry.ts';
import type { TransportRequest } from './transport.ts';
import { watchJob } from './watch.ts';

/** Options of a watch. */
export interface WatchOptions extends CallOptions {
  /** How long a broken link is tried again each time, ms; default 600,000. */
  reconnectForMs?: number;
}

/**
 * The API, a method a route. Errors of all methods: what the server replies, rebuilt as SpawnError, and SERVER_UNREACHABLE.
 * A call that may be carried out twice without harm is retried when the link breaks; any call, when nobody listened or the
 * server replied that it is stopping.
 */
export class SpawnClient {
  readonly #connection: Connection;

  constructor(options: ClientOptions) {
    this.#connection = new Connection(options);
  }

  /** Happens once, however often it is sent: a key is made when the request has none. */
  submit(request: SubmitRequestInput, options?: CallOptions): Promise<SubmitReply> {
    const idempotencyKey = request.idempotencyKey ?? randomKey();
    return this.#json('POST', '/v1/jobs', options, { body: { ...request, idempotencyKey } });
  }

  jobs(query: JobsQueryInput = {}, options?: CallOptions): Promise<JobsReply> {
    return this.#json('GET', `/v1/jobs${search(query)}`, options);
  }

  /** @param ref a number, an array id or a name; for verbs and logs also tasks: `12_7`, `12_[1,3-5]` */
  job(ref: string, options?: CallOptions): Promise<JobView> {
    return this.#json('GET', jobPath(ref), options);
  }

  tasks(ref: string, query: TasksQueryInput = {}, options?: CallOptions): Promise<TasksReply> {
    return this.#json('GET', `${jobPath(ref)}/tasks${search(query)}`, options);
  }

  cancel(ref: string, selection: Selection = {}, options?: CallOptions): Promise<VerbReply> {
    return this.#json('POST', `${jobPath(ref)}/cancel`, options, { body: selection });
  }

  /** Not sent again when the link breaks: tasks that failed once more meanwhile would get further tries. */
  retry(ref: string, selection: Selection = {}, options?: CallOptions): Promise<VerbReply> {
    return this.#json('POST', `${jobPath(ref)}/retry`, options, { body: selection, repeatable: false });
  }

  /** Not sent again when the link breaks: tasks that run again by then would be stopped. */
  requeue(ref: string, selection: Selection = {}, options?: CallOptions): Promise<VerbReply> {
    return this.#json('POST', `${jobPath(ref)}/requeue`, options, { body: selection, repeatable: false });
  }

  hold(ref: string, selection: Selection = {}, options?: CallOptions): Promise<VerbReply> {
    return this.#json('POST', `${jobPath(ref)}/hold`, options, { body: selection });
  }

  release(ref: string, selection: Selection = {}, options?: CallOptions): Promise<VerbReply> {
    return this.#json('POST', `${jobPath(ref)}/release`, options, { body: selection });
  }

  update(ref: string, request: UpdateRequest, options?: CallOptions): Promise<VerbReply> {
    return this.#json('PATCH', jobPath(ref), options, { body: request });
  }

  /** The counts of a job, at once and when they change, until it has ended; connects again by itself. */
  watch(ref: string, options: WatchOptions = {}): AsyncGenerator<JobDelta, void, undefined> {
    const { reconnectForMs = 600_000, ...rest } = options;
    return watchJob(this.#connection, call('GET', `${jobPath(ref)}/watch`, rest), reconnectForMs);
  }

  /** Bytes of log records (core/log-record.ts), cut anywhere. A link that breaks is SERVER_UNREACHABLE; start again from there. */
  async *logs(
    ref: string,
    query: LogQueryInput = {},
    options?: CallOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const request = call('GET', `${jobPath(ref)}/logs${search(query)}`, options);
    yield* this.#linked(await this.#connection.open(request));
  }

  /** Stores a script or environment snapshot under its SHA-256. */
  putBlob(kind: 'script' | 'env', bytes: Uint8Array, options?: CallOptions): Promise<BlobReply> {
    const request = { ...call('POST', `/v1/blobs/${kind}`, options), headers: OCTETS, body: bytes };
    return this.#connection.json(request);
  }

  /** For workers only. */
  getBlob(hash: string, options?: CallOptions): Promise<Uint8Array> {
    return this.#connection.bytes(call('GET', `/v1/blobs/${encodeURIComponent(hash)}`, options));
  }

  server(options?: CallOptions): Promise<ServerView> {
    return this.#json('GET', '/v1/server', options);
  }

  stopServer(options?: CallOptions): Promise<StopReply> {
    return this.#json('POST', '/v1/server/stop', options, { repeatable: false });
  }

  /** Not sent again when the link breaks: each opens a session. */
  hello(request: HelloRequest, options?: CallOptions): Promise<HelloReply> {
    return this.#json('POST', '/v1/sessions', options, { body: request, repeatable: false });
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
    const body = await this.#connection.open(request, this.#connection.idleMs);
    yield* readNdjson(this.#linked(body)) as AsyncGenerator<StreamMessage, void, undefined>;
  }

  /** Safe to send again: the server replays its reply to a repeated `seq`. */
  exchange(sessionId: number, request: ExchangeRequest, options?: CallOptions): Promise<ExchangeReply> {
    return this.#json('POST', `/v1/sessions/${sessionId}/exchange`, options, { body: request });
  }

  async bye(sessionId: number, options?: CallOptions): Promise<void> {
    await this.#connection.bytes(call('DELETE', `/v1/sessions/${sessionId}`, options));
  }

  /** Lets go of idle connections. */
  close(): void {
    this.#connection.close();
  }

  #json<T>(
    method: TransportRequest['method'],
    path: string,
    options: CallOptions = {},
    sent: { body?: unknown; repeatable?: boolean } = {},
  ): Promise<T> {
    const { body, repeatable = true } = sent;
    const request = { ...call(method, path, options), repeatable };
    if (body === undefined) return this.#connection.json(request);
    return this.#connection.json({ ...request, headers: JSON_TYPE, body: JSON.stringify(body) });
  }

  async *#linked(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* chunks;
    } catch (error) {
      throw toSpawnError(error, this.#connection.address);
    }
  }
}

const JSON_TYPE = { 'content-type': 'application/json' };
const OCTETS = { 'content-type': 'application/octet-stream' };

function call(method: TransportRequest['method'], path: string, options: CallOptions = {}): Call {
  return { method, path, repeatable: true, ...options };
}

function jobPath(ref: string): string {
  return `/v1/jobs/${encodeURIComponent(ref)}`;
}

function search(query: object): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) given.append(name, String(value));
  }
  return given.size === 0 ? '' : `?${given}`;
}

/** 128 random bits. `crypto.randomUUID` is missing in pages without TLS. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
