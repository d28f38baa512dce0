import type { FastifyBaseLogger } from 'fastify';

export interface ServerOptions {
  /** This release, for the OpenAPI document. */
  version: string;
  /** A pino logger; default: none. Requests are not logged, failures of this program are, with their stack. */
  logger?: FastifyBaseLogger;
  /** Called after the reply to POST /v1/server/stop was sent. Default: that route is refused. */
  onStop?: () => void;
  timing?: Partial<Timing>;
}

/** Durations in ms. */
export interface Timing {
  /** A quiet session stream says `ping` this often; default 5,000. */
  streamPingMs: number;
  /** A quiet watch sends a comment this often; default 10,000. */
  watchPingMs: number;
  /** Deltas of one watch are at least this far apart, the last excepted; default 50. */
  watchEveryMs: number;
  /** Requests under way get this long to end at close(), then their connections are cut; default 5,000. */
  closeGraceMs: number;
  /** A request must have arrived whole within this time; default 60,000. */
  requestMs: number;
  /** Over TCP a request line and its headers must have arrived within this time of the connection; default 10,000. */
  headersMs: number;
  /** How often the files of a certificate are looked at; default 10,000. */
  certificateLookMs: number;
}

export const DEFAULT_TIMING: Timing = {
  streamPingMs: 5_000,
  watchPingMs: 10_000,
  watchEveryMs: 50,
  closeGraceMs: 5_000,
  requestMs: 60_000,
  headersMs: 10_000,
  certificateLookMs: 10_000,
};

/** Longest request line and headers together, bytes: a `?index=` of 65,536 characters fits also when percent-encoded. */
export const MAX_HEADER_BYTES = 256 * 1024;
/** Open connections; more are refused. */
export const MAX_CONNECTIONS = 8_192;
/** Of each TCP listener: strangers cannot take the places at the Unix socket. A worker has two. */
export const MAX_TCP_CONNECTIONS = 8_192;
/** See HeldReplyOptions. */
export const MAX_BACKLOG_BYTES = 64 * 1024 * 1024;
