/** One HTTP request. */
export interface TransportRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With the query, percent-encoded. */
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  signal?: AbortSignal;
  /**
   * Not on a connection that was used before: the server may just be closing it, and whether such a request arrived cannot be
   * known. Default false.
   */
  fresh?: boolean;
}

export interface TransportResponse {
  status: number;
  /** Names in lower case. */
  header(name: string): string | undefined;
  /** Read it to the end, or leave the loop, which ends the request. Throws TransportFailure when the link breaks. */
  body: AsyncIterable<Uint8Array>;
}

/** How requests reach a server. */
export interface Transport {
  /** For people: a socket path or a URL. */
  readonly address: string;
  /** Throws TransportFailure, or the signal's reason. */
  request(request: TransportRequest): Promise<TransportResponse>;
  /** Lets go of idle connections. */
  close(): void;
}

/**
 * The link failed. `unsent`: nobody listens there, so the request did not arrive. `broken`: it may have arrived.
 */
export class TransportFailure extends Error {
  readonly kind: 'unsent' | 'broken';

  constructor(kind: 'unsent' | 'broken', message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TransportFailure';
    this.kind = kind;
  }
}
