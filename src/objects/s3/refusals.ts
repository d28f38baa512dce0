import { visible } from '../../core/error-text.ts';
import { SpawnError } from '../../core/errors.ts';
import type { Action } from '../patience.ts';

/** What an error of the SDK has that is of use; it may also have headers and whole answers, which go nowhere. */
interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
}

const LONGEST_WHY = 300;

/** Another try may help: the connection, or a server that has too much to do. */
const PASSING_CODES = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
  'ERR_STREAM_PREMATURE_CLOSE',
  'TimeoutError',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'InternalError',
  'ServiceUnavailable',
  'OperationAborted',
  'IncompleteBody',
  'CutShort',
]);
const PASSING_STATUSES = new Set([408, 429, 500, 502, 503, 504]);

/** Our own: an answer that ended before its last byte, or stood still. */
export class CutShort extends Error {
  override readonly name = 'CutShort';
}

/** Why another try may help, or undefined when it would not. */
export function whyRetry(error: unknown): string | undefined {
  if (error instanceof SpawnError) return undefined;
  const { name, code, message } = error as SdkError;
  const isPassing =
    PASSING_STATUSES.has(statusOf(error) ?? 0) ||
    PASSING_CODES.has(code ?? '') ||
    PASSING_CODES.has(name ?? '') ||
    // Node says both of connections that end early, the first without a code.
    message === 'aborted' ||
    message === 'socket hang up';
  return isPassing ? inWords(error) : undefined;
}

/** The status of the answer, if there was one. */
export function statusOf(error: unknown): number | undefined {
  return (error as SdkError).$metadata?.httpStatusCode;
}

/** Name of the error as S3 gives it, `NoSuchKey`. */
export function nameOf(error: unknown): string {
  return (error as SdkError).name ?? '';
}

/** What another try would not mend. */
export function toSpawnError(error: unknown, action: Action): unknown {
  if (error instanceof SpawnError) return error;
  const { uri, doing } = action;
  const name = nameOf(error);
  if (name === 'AbortError') return error;
  if (name === 'NoSuchBucket') return new SpawnError('OBJECT_NOT_FOUND', { uri, what: 'bucket' });
  if (name === 'NoSuchKey') return new SpawnError('OBJECT_NOT_FOUND', { uri, what: 'object' });
  if (name === 'CredentialsProviderError') {
    const why =
      'no credentials: expected accessKeyId and secretAccessKey, variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role of the machine';
    return new SpawnError('STORAGE_REFUSED', { uri, doing, why });
  }
  const code = statusOf(error) === undefined ? 'STORAGE_UNREACHABLE' : 'STORAGE_REFUSED';
  return new SpawnError(code, { uri, doing, why: inWords(error) });
}

/** One line for a person, of chosen fields only: an error of the SDK may hold what must not be shown. */
function inWords(error: unknown): string {
  const { name = 'Error', code, message = '', $metadata } = error as SdkError;
  const status = $metadata?.httpStatusCode;
  const facts = [
    ...(status === undefined ? [] : [`HTTP ${status}`]),
    ...(name === 'Error' || name === 'UnknownError' ? (code === undefined ? [] : [code]) : [name]),
    ...(status === undefined || $metadata?.requestId === undefined ? [] : [`request ${$metadata.requestId}`]),
  ];
  const said = visible(message).trim();
  const shown = said === '' || said === 'UnknownError' ? 'no reason given' : said;
  const cut = shown.length > LONGEST_WHY ? `${shown.slice(0, LONGEST_WHY)}…` : shown;
  return facts.length === 0 ? cut : `${cut} (${facts.join(', ')})`;
}
