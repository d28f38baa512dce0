import { DATA_ERRORS } from './data-errors.ts';
import { caretMessage, type Facts, list, optional, value, visible } from './error-text.ts';

interface ErrorRow {
  /** The HTTP status of a reply that carries this error. */
  readonly http: number;
  /** The exit code of a command that ends with it: 2 for a wrong request, else after sysexits(3), 64 to 78. */
  readonly exit: number;
  readonly message: (d: never) => string;
}

/** The only list of errors of this program. `docs/errors.md`, HTTP statuses and exit codes come from it. */
export const ERRORS = {
  BAD_REQUEST: {
    http: 400,
    exit: 2,
    message: (d: Facts<'where' | 'expected', 'found'>) => `${d.where}: expected ${d.expected}, found ${value(d.found)}`,
  },
  /** text, at (0-based column), expected; where */
  BAD_INDEX_SET: { http: 400, exit: 2, message: caretMessage('index set') },
  BAD_DEPENDENCY: { http: 400, exit: 2, message: caretMessage('dependency') },
  BAD_DURATION: { http: 400, exit: 2, message: caretMessage('duration') },
  BAD_BYTES: { http: 400, exit: 2, message: caretMessage('amount of bytes') },
  BAD_FILTER: { http: 400, exit: 2, message: caretMessage('filter') },
  BAD_JOB_REF: { http: 400, exit: 2, message: caretMessage('job') },
  BAD_NAME: {
    http: 400,
    exit: 2,
    message: (d: Facts<'name' | 'expected', 'where'>) =>
      `${optional('', d.where, ': ')}name ${value(d.name)}: expected ${d.expected}`,
  },
  ARRAY_TOO_LARGE: {
    http: 400,
    exit: 2,
    message: (d: Facts<'size' | 'max'>) => `array of ${d.size} tasks: expected at most ${d.max}`,
  },
  USAGE: { http: 400, exit: 2, message: (d: Facts<'message'>) => String(d.message) },
  /** path, lines (a line for each fault, with its place), issues (line, column, where, says) */
  BAD_JOB_FILE: {
    http: 400,
    exit: 2,
    message: (d: Facts<'lines'>) => (Array.isArray(d.lines) ? d.lines.join('\n') : String(d.lines)),
  },
  JOB_NOT_FOUND: {
    http: 404,
    exit: 66,
    message: (d: Facts<'ref', 'why'>) => `job ${value(d.ref)} not found${optional(': ', d.why)}`,
  },
  WORKFLOW_NOT_FOUND: {
    http: 404,
    exit: 66,
    message: (d: Facts<'ref', 'why'>) => `workflow ${value(d.ref)} not found${optional(': ', d.why)}`,
  },
  INSTANCE_NOT_FOUND: {
    http: 404,
    exit: 66,
    message: (d: Facts<'ref', 'why'>) => {
      const words = visible(String(d.ref));
      // Filters, as they are written on a command line.
      if (words.startsWith('--')) return `no instance fits ${words}${optional(': ', d.why)}`;
      return `instance ${value(d.ref)} not found${optional(': ', d.why)}`;
    },
  },
  /** session: the one that serves it, to be named as `bound.resume` */
  INSTANCE_SERVED: {
    http: 409,
    exit: 65,
    message: (d: Facts<'ref' | 'session'>) =>
      `instance ${value(d.ref)}: expected no session or to resume ${d.session}, which serves it`,
  },
  /** what (`instance array`, `instance`), holder: who has it */
  NAME_TAKEN: {
    http: 409,
    exit: 65,
    message: (d: Facts<'what' | 'name' | 'holder'>) =>
      `${d.what} ${value(d.name)}: expected a name that no live one has, found ${d.holder}; end that one, or take another name`,
  },
  LAUNCH_FAILED: {
    http: 503,
    exit: 69,
    message: (d: Facts<'name' | 'why'>) => `instance ${value(d.name)} cannot be started: ${d.why}`,
  },
  /** amount, spent, period */
  BUDGET_EXCEEDED: {
    http: 409,
    exit: 65,
    message: (d: Facts<'amount' | 'found'>) => `budget: expected to stay within $${d.amount}, found ${d.found}`,
  },
  TASK_NOT_FOUND: { http: 404, exit: 66, message: (d: Facts<'ref'>) => `task ${value(d.ref)} not found` },
  TOKEN_NOT_FOUND: { http: 404, exit: 66, message: (d: Facts<'ref'>) => `token ${value(d.ref)} not found` },
  ALERT_NOT_FOUND: { http: 404, exit: 66, message: (d: Facts<'ref'>) => `alert ${value(d.ref)} not found` },
  LOG_NOT_FOUND: {
    http: 404,
    exit: 66,
    message: (d: Facts<'ref', 'why'>) => `log of ${value(d.ref)} not found${optional(': ', d.why)}`,
  },
  /** name, candidates (ids) */
  AMBIGUOUS_NAME: {
    http: 409,
    exit: 65,
    message: (d: Facts<'name' | 'candidates'>) =>
      `name ${value(d.name)}: expected exactly one live job, found ${list(d.candidates)}; use the id`,
  },
  JOB_ENDED: {
    http: 409,
    exit: 65,
    message: (d: Facts<'ref' | 'state'>) => `job ${value(d.ref)}: expected one that has not ended, found ${d.state}`,
  },
  REQUEUE_DISABLED: {
    http: 409,
    exit: 65,
    message: (d: Facts<'ref'>) =>
      `job ${value(d.ref)}: expected one that may be requeued, found one for which that is switched off; retry runs again what failed`,
  },
  NO_SCRIPT: {
    http: 404,
    exit: 66,
    message: (d: Facts<'ref'>) =>
      `job ${value(d.ref)}: expected one that was submitted as a script, found a command line`,
  },
  DEPENDENCY_UNKNOWN_JOB: {
    http: 400,
    exit: 2,
    message: (d: Facts<'ref', 'text'>) =>
      `dependency${optional(' "', d.text, '"')}: expected an existing job, found ${value(d.ref)}`,
  },
  /** jobs (ids, or keys of a workflow, in order, the first one again at the end) */
  DEPENDENCY_CYCLE: {
    http: 400,
    exit: 2,
    message: (d: Facts<'jobs'>) => `dependency: expected no cycle, found ${list(d.jobs, ' -> ')}`,
  },
  DEPENDENCY_SELF: {
    http: 400,
    exit: 2,
    message: (d: Facts<'ref'>) => `dependency: expected another job, found job ${value(d.ref)} itself`,
  },
  IDEMPOTENCY_MISMATCH: {
    http: 409,
    exit: 65,
    message: (d: Facts<'key'>) =>
      `idempotency key ${value(d.key)}: expected the request it was first used with, found another one`,
  },
  CONFLICT: {
    http: 409,
    exit: 65,
    message: (d: Facts<'what' | 'found', 'expected'>) =>
      `${d.what}: ${optional('expected ', d.expected, ', ')}found ${d.found}`,
  },
  UNSATISFIABLE_RESOURCES: {
    http: 400,
    exit: 2,
    message: (d: Facts<'request', 'missing'>) =>
      `resources: expected what some worker can have, found ${d.request}${optional('; ', d.missing)}`,
  },
  FILE_NOT_FOUND: {
    http: 400,
    exit: 2,
    message: (d: Facts<'path', 'where'>) => `${optional('', d.where, ': ')}file ${value(d.path)} not found`,
  },
  FILE_UNREADABLE: {
    http: 400,
    exit: 2,
    message: (d: Facts<'path' | 'why', 'where'>) =>
      `${optional('', d.where, ': ')}file ${value(d.path)} cannot be read: ${d.why}`,
  },
  ...DATA_ERRORS,
  /** size, max (bytes); path */
  SCRIPT_TOO_LARGE: {
    http: 413,
    exit: 2,
    message: (d: Facts<'size' | 'max', 'path'>) =>
      `script${optional(' ', d.path)}: expected at most ${d.max} bytes, found ${d.size}`,
  },
  /** max (bytes) */
  BODY_TOO_LARGE: { http: 413, exit: 2, message: (d: Facts<'max'>) => `request body: expected at most ${d.max} bytes` },
  ROUTE_NOT_FOUND: {
    http: 404,
    exit: 76,
    message: (d: Facts<'method' | 'path'>) => `${d.method} ${value(d.path)}: the API has no such route`,
  },
  MEDIA_TYPE: {
    http: 415,
    exit: 76,
    message: (d: Facts<'expected', 'found'>) => `header content-type: expected ${d.expected}, found ${value(d.found)}`,
  },
  UNAUTHENTICATED: {
    http: 401,
    exit: 77,
    message: (d: Facts<never, 'why'>) => `not authenticated: ${d.why ?? 'expected a valid token'}`,
  },
  NOT_PERMITTED: {
    http: 403,
    exit: 77,
    message: (d: Facts<'action', 'why'>) => `not permitted: ${d.action}${optional(' (', d.why, ')')}`,
  },
  RATE_LIMITED: {
    http: 429,
    exit: 75,
    message: (d: Facts<never, 'retryAfterMs'>) =>
      `too many requests${optional('; retry after ', d.retryAfterMs, ' ms')}`,
  },
  SOCKET_NOT_PRIVATE: {
    http: 500,
    exit: 77,
    message: (d: Facts<'path' | 'expected' | 'found'>) =>
      `socket directory ${value(d.path)}: expected ${d.expected}, found ${d.found}`,
  },
  SERVER_UNREACHABLE: {
    http: 502,
    exit: 69,
    message: (d: Facts<'address', 'why'>) => `server ${d.address} cannot be reached${optional(': ', d.why)}`,
  },
  SERVER_STOPPING: { http: 503, exit: 75, message: (_: Facts<never>) => 'the server is stopping; try again' },
  /** expected, found (versions) */
  VERSION_UNSUPPORTED: {
    http: 426,
    exit: 76,
    message: (d: Facts<'expected' | 'found'>) =>
      `protocol version: expected ${d.expected}, found ${d.found}; install the same release on both sides`,
  },
  SESSION_UNKNOWN: {
    http: 410,
    exit: 76,
    message: (d: Facts<'session'>) => `worker session ${value(d.session)} is not known; say hello again`,
  },
  STORE_FULL: {
    http: 507,
    exit: 74,
    message: (d: Facts<never, 'why'>) =>
      `no space left for the store${optional(' (', d.why, ')')}; nothing was changed; free some and retry`,
  },
  STORE_FAILED: {
    http: 503,
    exit: 74,
    message: (d: Facts<'why'>) => `the store failed: ${d.why}; nothing was changed`,
  },
  STORE_LOCKED: {
    http: 503,
    exit: 75,
    message: (d: Facts<'host' | 'pid', 'path'>) =>
      `store${optional(' ', d.path)} is in use by process ${d.pid} on ${d.host}`,
  },
  /** path, expected, found (schema versions) */
  STORE_NEWER: {
    http: 503,
    exit: 78,
    message: (d: Facts<'path' | 'expected' | 'found'>) =>
      `store ${d.path}: expected schema ${d.expected} or older, found ${d.found}; install a newer release`,
  },
  /** path, found (file system type) */
  STORE_NETWORK_FS: {
    http: 503,
    exit: 78,
    message: (d: Facts<'path' | 'found'>) =>
      `store ${d.path}: expected a local disk, found ${d.found}; set SPAWN_DATA_DIR to a local directory`,
  },
  /** expected, found (versions); advice */
  NODE_TOO_OLD: {
    http: 500,
    exit: 78,
    message: (d: Facts<'expected' | 'found', 'advice'>) =>
      `spawn needs Node ${d.expected} or newer; this is ${d.found}.${optional(' ', d.advice)}`,
  },
  INTERNAL: { http: 500, exit: 70, message: (d: Facts<never, 'why'>) => `internal error: ${d.why ?? 'unknown'}` },
} as const satisfies Record<string, ErrorRow>;
