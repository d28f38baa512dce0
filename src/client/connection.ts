import { fromJSON, SpawnError } from '../core/errors.ts';
import { withRetry } from './retry.ts';
import { type Transport, TransportFailure, type TransportRequest, type TransportResponse } from './transport.ts';

export interface ClientOptions {
  transport: Transport;
  /** How long a call that failed is tried again, ms; default 10,000. 0 = never. For what, docs/client.md tells. */
  retryForMs?: number;
  /** One try of a call that has an answer at once must have it within this time, ms; default 60,000. */
  timeoutMs?: number;
  /** A watch or session stream that brings nothing, not even a ping, for this long is broken, ms; default 30,000. */
  idleMs?: number;
  /**
   * Awaited once in a call when nobody listens at the address, before it is tried again: starts a server. Calls that wait at
   * the same time share one. Its error becomes the error of the call.
   */
  onUnreachable?: () => Promise<void>;
}

/** Options of one call. */
export interface CallOptions {
  /** Ends the call with the signal's reason. */
  signal?: AbortSignal;
  /** Instead of that of the client. */
  retryForMs?: number;
}

export interface Call extends TransportRequest {
  /** The request may be sent twice. */
  repeatable: boolean;
  retryForMs?: number | undefined;
}

/** Sends requests: retries, time limits, and errors of the server rebuilt. */
export class Connection {
  readonly address: string;
  readonly idleMs: number;
  readonly #options: ClientOptions;
  readonly #timeoutMs: number;
  #starting: Promise<void> | undefined;
  #starts = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.address = options.transport.address;
    this.idleMs = options.idleMs ?? 30_000;
    this.#timeoutMs = options.timeoutMs ?? 60_000;
  }

  /** The body of the reply. Errors: SERVER_UNREACHABLE, and what the server replies. */
  bytes(call: Call): Promise<Uint8Array> {
    return this.#retry(call, async () => {
      const limit = new TimeLimit(call.signal);
      limit.start(this.#timeoutMs);
      try {
        return await readAll((await this.#send(call, limit.signal)).body);
      } finally {
        limit.stop();
      }
    });
  }

  async json<T>(call: Call): Promise<T> {
    return JSON.parse(new TextDecoder().decode(await this.bytes(call))) as T;
  }

  /** The body of a reply that goes on for long; once it has begun nothing is retried, and a break is a TransportFailure. */
  async open(call: Call, idleMs = Number.POSITIVE_INFINITY): Promise<AsyncGenerator<Uint8Array, void, undefined>> {
    const limit = new TimeLimit(call.signal);
    const response = await this.#retry(call, () => this.#send(call, limit.signal)).catch((error: unknown) => {
      limit.stop();
      throw error;
    });
    return readWithin(response.body, idleMs, limit);
  }

  #retry<T>(call: Call, attempt: () => Promise<T>): Promise<T> {
    const { onUnreachable, retryForMs = 10_000 } = this.#options;
    let startsBefore = this.#starts;
    const start = async (): Promise<void> => {
      // Another call has started a server since this one was sent.
      if (this.#starts !== startsBefore) return;
      this.#starting ??= onUnreachable?.().finally(() => {
        this.#starting = undefined;
        this.#starts++;
      });
      await this.#starting;
    };
    const counted = (): Promise<T> => {
      startsBefore = this.#starts;
      return attempt();
    };
    return withRetry(
      {
        address: this.address,
        retryForMs: call.retryForMs ?? retryForMs,
        repeatable: call.repeatable,
        onUnreachable: onUnreachable === undefined ? undefined : start,
        signal: call.signal,
      },
      counted,
    );
  }

  async #send(call: Call, signal: AbortSignal): Promise<TransportResponse> {
    const { method, path, headers, body } = call;
    const response = await this.#options.transport.request({
      method,
      path,
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
      signal,
      fresh: !call.repeatable,
    });
    if (response.status >= 200 && response.status < 300) return response;
    throw errorOf(response, await readAll(response.body));
  }

  close(): void {
    this.#options.transport.close();
  }
}

/** A signal that fires with that of the caller, or as TransportFailure when a time is over. */
class TimeLimit {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(caller: AbortSignal | undefined) {
    this.#caller = caller;
    if (caller?.aborted) this.#controller.abort(caller.reason);
    else caller?.addEventListener('abort', this.#forward, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly #forward = (): void => this.#controller.abort(this.#caller?.reason);

  start(ms: number): void {
    if (ms === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => {
      this.#controller.abort(new TransportFailure('broken', `it sent nothing for ${ms} ms`));
    }, ms);
  }

  pause(): void {
    clearTimeout(this.#timer);
  }

  stop(): void {
    this.pause();
    this.#caller?.removeEventListener('abort', this.#forward);
  }
}

/** The time runs while a chunk is awaited, not while the reader works on one. */
async function* readWithin(
  chunks: AsyncIterable<Uint8Array>,
  idleMs: number,
  limit: TimeLimit,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    limit.start(idleMs);
    for await (const chunk of chunks) {
      limit.pause();
      yield chunk;
      limit.start(idleMs);
    }
  } finally {
    limit.stop();
  }
}

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    bytes += chunk.length;
  }
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function errorOf({ status, header }: TransportResponse, body: Uint8Array): SpawnError {
  const seconds = Number(header('retry-after') ?? Number.NaN);
  const again = seconds >= 0 ? { retryAfterMs: seconds * 1_000 } : {};
  try {
    const { error } = JSON.parse(new TextDecoder().decode(body));
    if (typeof error.code === 'string' && typeof error.message === 'string') {
      return fromJSON({ code: error.code, message: error.message, details: { ...again, ...error.details } });
    }
  } catch {
    // Not from this server: a proxy's page, for example.
  }
  const why = `the server replied with status ${status} and no error of its own`;
  return new SpawnError('INTERNAL', { why, status, ...again });
}
