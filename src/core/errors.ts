import { caretMessage, list, optional, value } from './error-text.ts';

/** Facts about one error, in JSON values only, so that they can travel from the server to a client unchanged. */
export type ErrorDetails = Record<string, unknown>;

interface ErrorRow {
  /** The HTTP status of a reply that carries this error. */
  readonly http: number;
  /** The exit code of a command that ends with it: 2 for a wrong request, else after sysexits(3), 64 to 78. */
  readonly exit: number;
  readonly message: (d: ErrorDetails) => string;
}

/** The only list of errors of this program. `docs/errors.md`, HTTP statuses and exit codes come from it. */
export const ERRORS = {
  /** where, expected, found */
  BAD_REQUEST: {
    http: 400,
    exit: 2,
    message: (d) => `${d.where}: expected ${d.expected}, found ${value(d.found)}`,
  },
  /** text, at (0-based column), expected; where */
  BAD_INDEX_SET: { http: 400, exit: 2, message: caretMessage('index set') },
  /** text, at, expected; where */
  BAD_DEPENDENCY: { http: 400, exit: 2, message: caretMessage('dependency') },
  /** text, at, expected; where */
  BAD_DURATION: { http: 400, exit: 2, message: caretMessage('duration') },
  /** text, at, expected; where */
  BAD_BYTES: { http: 400, exit: 2, message: caretMessage('amount of bytes') },
  /** text, at, expected; where */
  BAD_JOB_REF: { http: 400, exit: 2, message: caretMessage('job') },
  /** name, expected; where */
  BAD_NAME: {
    http: 400,
    exit: 2,
    message: (d) => `${optional('', d.where, ': ')}name ${value(d.name)}: expected ${d.expected}`,
  },
  /** size, max */
  ARRAY_TOO_LARGE: {
    http: 400,
    exit: 2,
    message: (d) => `array of ${d.size} tasks: expected at most ${d.max}`,
  },
  /** message */
  USAGE: { http: 400, exit: 2, message: (d) => String(d.message) },
  /** ref */
  JOB_NOT_FOUND: { http: 404, exit: 66, message: (d) => `job ${value(d.ref)} not found` },
  /** ref */
  TASK_NOT_FOUND: { http: 404, exit: 66, message: (d) => `task ${value(d.ref)} not found` },
  /** ref; why */
  LOG_NOT_FOUND: {
    http: 404,
    exit: 66,
    message: (d) => `log of ${value(d.ref)} not found${optional(': ', d.why)}`,
  },
  /** name, candidates (ids) */
  AMBIGUOUS_NAME: {
    http: 409,
    exit: 65,
    message: (d) => `name ${value(d.name)}: expected exactly one live job, found ${list(d.candidates)}; use the id`,
  },
  /** ref, state */
  JOB_ENDED: {
    http: 409,
    exit: 65,
    message: (d) => `job ${value(d.ref)}: expected one that has not ended, found ${d.state}`,
  },
  /** ref; text */
  DEPENDENCY_UNKNOWN_JOB: {
    http: 400,
    exit: 2,
    message: (d) => `dependency${optional(' "', d.text, '"')}: expected an existing job, found ${value(d.ref)}`,
  },
  /** jobs (ids in order, the first one again at the end) */
  DEPENDENCY_CYCLE: {
    http: 400,
    exit: 2,
    message: (d) => `dependency: expected no cycle, found ${list(d.jobs, ' -> ')}`,
  },
  /** ref */
  DEPENDENCY_SELF: {
    http: 400,
    exit: 2,
    message: (d) => `dependency: expected another job, found job ${value(d.ref)} itself`,
  },
  /** key */
  IDEMPOTENCY_MISMATCH: {
    http: 409,
    exit: 65,
    message: (d) => `idempotency key ${value(d.key)}: expected the request it was first used with, found another one`,
  },
  /** what, found; expected */
  CONFLICT: {
    http: 409,
    exit: 65,
    message: (d) => `${d.what}: ${optional('expected ', d.expected, ', ')}found ${d.found}`,
  },
  /** request, missing */
  UNSATISFIABLE_RESOURCES: {
    http: 400,
    exit: 2,
    message: (d) => `resources: expected what some worker can have, found ${d.request}${optional('; ', d.missing)}`,
  },
  /** path; where */
  FILE_NOT_FOUND: {
    http: 400,
    exit: 2,
    message: (d) => `${optional('', d.where, ': ')}file ${value(d.path)} not found`,
  },
  /** path, why; where */
  FILE_UNREADABLE: {
    http: 400,
    exit: 2,
    message: (d) => `${optional('', d.where, ': ')}file ${value(d.path)} cannot be read: ${d.why}`,
  },
  /** size, max (bytes); path */
  SCRIPT_TOO_LARGE: {
    http: 413,
    exit: 2,
    message: (d) => `script${optional(' ', d.path)}: expected at most ${d.max} bytes, found ${d.size}`,
  },
  /** max (bytes) */
  BODY_TOO_LARGE: { http: 413, exit: 2, message: (d) => `request body: expected at most ${d.max} bytes` },
  /** method, path */
  ROUTE_NOT_FOUND: { http: 404, exit: 76, message: (d) => `${d.method} ${value(d.path)}: the API has no such route` },
  /** expected; found */
  MEDIA_TYPE: {
    http: 415,
    exit: 76,
    message: (d) => `header content-type: expected ${d.expected}, found ${value(d.found)}`,
  },
  /** why */
  UNAUTHENTICATED: {
    http: 401,
    exit: 77,
    message: (d) => `not authenticated: ${d.why ?? 'expected a valid token'}`,
  },
  /** action; why */
  NOT_PERMITTED: { http: 403, exit: 77, message: (d) => `not permitted: ${d.action}${optional(' (', d.why, ')')}` },
  /** retryAfterMs */
  RATE_LIMITED: {
    http: 429,
    exit: 75,
    message: (d) => `too many requests${optional('; retry after ', d.retryAfterMs, ' ms')}`,
  },
  /** path, expected, found */
  SOCKET_NOT_PRIVATE: {
    http: 500,
    exit: 77,
    message: (d) => `socket directory ${value(d.path)}: expected ${d.expected}, found ${d.found}`,
  },
  /** address; why */
  SERVER_UNREACHABLE: {
    http: 502,
    exit: 69,
    message: (d) => `server ${d.address} cannot be reached${optional(': ', d.why)}`,
  },
  SERVER_STOPPING: { http: 503, exit: 75, message: () => 'the server is stopping; try again' },
  /** expected, found (versions) */
  VERSION_UNSUPPORTED: {
    http: 426,
    exit: 76,
    message: (d) =>
      `protocol version: expected ${d.expected}, found ${d.found}; install the same release on both sides`,
  },
  /** session */
  SESSION_UNKNOWN: {
    http: 410,
    exit: 76,
    message: (d) => `worker session ${value(d.session)} is not known; say hello again`,
  },
  /** why */
  STORE_FULL: {
    http: 507,
    exit: 74,
    message: (d) =>
      `no space left for the store${optional(' (', d.why, ')')}; nothing was changed; free some and retry`,
  },
  /** why */
  STORE_FAILED: { http: 503, exit: 74, message: (d) => `the store failed: ${d.why}; nothing was changed` },
  /** host, pid; path */
  STORE_LOCKED: {
    http: 503,
    exit: 75,
    message: (d) => `store${optional(' ', d.path)} is in use by process ${d.pid} on ${d.host}`,
  },
  /** path, expected, found (schema versions) */
  STORE_NEWER: {
    http: 503,
    exit: 78,
    message: (d) =>
      `store ${d.path}: expected schema ${d.expected} or older, found ${d.found}; install a newer release`,
  },
  /** path, found (file system type) */
  STORE_NETWORK_FS: {
    http: 503,
    exit: 78,
    message: (d) => `store ${d.path}: expected a local disk, found ${d.found}; set SPAWN_DATA_DIR to a local directory`,
  },
  /** expected, found (versions); advice */
  NODE_TOO_OLD: {
    http: 500,
    exit: 78,
    message: (d) => `spawn needs Node ${d.expected} or newer; this is ${d.found}.${optional(' ', d.advice)}`,
  },
  /** why */
  INTERNAL: { http: 500, exit: 70, message: (d) => `internal error: ${d.why ?? 'unknown'}` },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

const BRAND = Symbol.for('spawn.SpawnError');

/** How an error travels: the reply of the API and the report of a worker carry exactly this. */
export interface SpawnErrorJson {
  readonly code: string;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** A request that cannot be served, for a reason that has a code. The user's own work failing is an `Outcome` instead. */
export class SpawnError extends Error {
  readonly [BRAND] = true;
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  /** @param message replaces the one of the table: only for an error that another release sent. */
  constructor(code: ErrorCode, details: ErrorDetails = {}, options: ErrorOptions & { message?: string } = {}) {
    super(options.message ?? ERRORS[code].message(details), options);
    this.name = 'SpawnError';
    this.code = code;
    this.details = details;
  }

  get http(): number {
    return ERRORS[this.code].http;
  }

  get exitCode(): number {
    return ERRORS[this.code].exit;
  }

  toJSON(): SpawnErrorJson {
    return { code: this.code, message: this.message, details: this.details };
  }
}

/** True also for a SpawnError of another copy of this module or another realm, where `instanceof` is not. */
export function isSpawnError(x: unknown): x is SpawnError {
  return typeof x === 'object' && x !== null && BRAND in x;
}

/** Rebuilds the error a peer sent. A code of a newer release, unknown here, becomes INTERNAL and keeps its message. */
export function fromJSON(json: SpawnErrorJson): SpawnError {
  const { code, message, details } = json;
  return Object.hasOwn(ERRORS, code)
    ? new SpawnError(code as ErrorCode, details, { message })
    : new SpawnError('INTERNAL', { ...details, code }, { message });
}
