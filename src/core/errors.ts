import { ERRORS } from './error-table.ts';

/** Facts about one error, in JSON values only, so that they can travel from the server to a client unchanged. */
export type ErrorDetails = Record<string, unknown>;

export type ErrorCode = keyof typeof ERRORS;

/** What the message of a code cannot do without; more may be given. */
type DetailsOf<C extends ErrorCode> = ErrorDetails & Parameters<(typeof ERRORS)[C]['message']>[0];
type ErrorFacts = {
  [C in ErrorCode]: ErrorDetails extends DetailsOf<C>
    ? [code: C, details?: DetailsOf<C>, options?: SpawnErrorOptions]
    : [code: C, details: DetailsOf<C>, options?: SpawnErrorOptions];
}[ErrorCode];

interface SpawnErrorOptions extends ErrorOptions {
  /** Replaces the message of the table: for an error that another release sent, or that has more to say. */
  readonly message?: string;
}

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

  constructor(code: ErrorCode, details: ErrorDetails, options: SpawnErrorOptions & { readonly message: string });
  constructor(...facts: ErrorFacts);
  constructor(code: ErrorCode, details: ErrorDetails = {}, options: SpawnErrorOptions = {}) {
    super(options.message ?? messageOf(code, details), options);
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

  /** The same error that tells more, such as `where` a value that could not be read came from. */
  with(details: ErrorDetails): SpawnError {
    const all = { ...this.details, ...details };
    return new SpawnError(this.code, all, { message: messageOf(this.code, all), cause: this });
  }

  toJSON(): SpawnErrorJson {
    return { code: this.code, message: this.message, details: this.details };
  }
}

function messageOf(code: ErrorCode, details: ErrorDetails): string {
  return (ERRORS[code].message as (d: ErrorDetails) => string)(details);
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
