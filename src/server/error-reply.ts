import type { FastifyBaseLogger, FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorReply } from '../api/job.ts';
import { brief } from '../api/refusal.ts';
import { isSpawnError, SpawnError } from '../core/errors.ts';

/** Answers any error as an ErrorReply. What is not for the caller stays in the log. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = toSpawnError(error, request);
  if (known.http >= 500) logFailure(request.log, error, known);
  // A connection that is closed while the body still arrives breaks before the client has read this reply.
  if (known.code === 'BODY_TOO_LARGE') reply.removeHeader('connection');
  return reply
    .code(known.http)
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify(bodyOf(known)));
}

function bodyOf(error: SpawnError): ErrorReply {
  if (error.code === 'INTERNAL') {
    return { error: { code: 'INTERNAL', message: 'internal error: see the log of the server', details: {} } };
  }
  return { error: error.toJSON() };
}

function logFailure(log: FastifyBaseLogger, error: unknown, known: SpawnError): void {
  const err = error instanceof Error ? error : new Error(String(error));
  if (known.code === 'INTERNAL') log.error({ err }, 'a request failed by a fault of this program');
  else log.warn({ err }, 'a request was refused');
}

function toSpawnError(error: unknown, request: FastifyRequest): SpawnError {
  if (isSpawnError(error)) return error;
  return isFastifyError(error) ? refused(error, request) : new SpawnError('INTERNAL');
}

function refused(error: FastifyError, request: FastifyRequest): SpawnError {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new SpawnError('BODY_TOO_LARGE', { max: request.routeOptions.bodyLimit });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE': {
      const expected = request.routeOptions.config.mediaType ?? 'application/json';
      return new SpawnError('MEDIA_TYPE', { expected, found: brief(request.headers['content-type']) });
    }
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH': {
      const found = brief(request.headers['content-length']);
      return new SpawnError('BAD_REQUEST', {
        where: 'header content-length',
        expected: 'the length of the body',
        found,
      });
    }
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new SpawnError('BAD_REQUEST', { where: 'path', expected: 'a valid path', found: brief(request.url) });
    default:
      return new SpawnError('INTERNAL');
  }
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('FST_ERR_');
}

const RAW_EXPECTED: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: 'smaller headers',
  ERR_HTTP_REQUEST_TIMEOUT: 'all of it within the time limit',
};

/** A reply to bytes that are not HTTP, or beyond the limits of the parser: there is no request yet. */
export function rawRefusal(error: { code?: string }): string {
  const refusal = new SpawnError('BAD_REQUEST', {
    where: 'request',
    expected: RAW_EXPECTED[error.code ?? ''] ?? 'HTTP/1.1',
    found: error.code ?? 'other bytes',
  });
  const body = JSON.stringify(bodyOf(refusal));
  const head = ['HTTP/1.1 400 Bad Request', 'content-type: application/json; charset=utf-8', 'connection: close'];
  return [...head, `content-length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
}
