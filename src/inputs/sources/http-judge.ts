import { visible } from '../../core/error-text.ts';
import { SpawnError } from '../../core/errors.ts';
import type { Judge } from '../../objects/patience.ts';

/** An answer that is not the one that was asked for. */
export class BadAnswer extends Error {
  readonly status: number;

  constructor(status: number, words: string) {
    super(`HTTP ${status}${words === '' ? '' : ` ${visible(words).slice(0, 100)}`}`);
    this.status = status;
  }
}

/** An answer that ended before its last byte, or stood still. */
export class CutShort extends Error {}

const PASSING_STATUSES = new Set([408, 425, 429, 500, 502, 503, 504]);
/** As Node and its fetch name them. */
const PASSING_CODES =
  /^(?:ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EAI_AGAIN|UND_ERR_(?:SOCKET|CONNECT_TIMEOUT|HEADERS_TIMEOUT|BODY_TIMEOUT))$/;

/** What errors of fetch mean. */
export const HTTP_JUDGE: Judge = {
  whyRetry: (error) => {
    if (error instanceof SpawnError) return undefined;
    if (error instanceof BadAnswer) return PASSING_STATUSES.has(error.status) ? error.message : undefined;
    if (error instanceof CutShort) return error.message;
    return PASSING_CODES.test(codeOf(error) ?? '') ? inWords(error) : undefined;
  },
  toThrow: (error, action) => {
    if (error instanceof SpawnError || (error as Error).name === 'AbortError') return error;
    if (error instanceof BadAnswer) {
      if (error.status === 404 || error.status === 410) {
        return new SpawnError('INPUT_NOT_FOUND', { uri: action.uri, why: error.message });
      }
      return new SpawnError('INPUT_UNREADABLE', { uri: action.uri, why: error.message });
    }
    return new SpawnError('STORAGE_UNREACHABLE', { ...action, why: inWords(error) });
  },
};

/** fetch says only that it failed, and why in the cause. */
function codeOf(error: unknown): string | undefined {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (typeof code === 'string') return code;
  return cause === undefined || cause === null ? undefined : codeOf(cause);
}

function inWords(error: unknown): string {
  const { message, cause } = error as Error;
  const told = cause instanceof Error && cause.message !== '' ? cause.message : message;
  return visible(told).slice(0, 300);
}
