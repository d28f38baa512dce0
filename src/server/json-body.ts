import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SpawnError } from '../core/errors.ts';
import { findJsonFault } from '../core/json-position.ts';

/**
 * Reads JSON bodies and no other kind. Refused, with BAD_REQUEST: what is not UTF-8 (else it would be changed silently), what is
 * not JSON (with line and column), and names that would reach an object's prototype.
 */
export function readJsonBodies(app: FastifyInstance): void {
  const checked = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    try {
      const value = parse(bytes);
      if (mayPoison(bytes)) refusePoison(request, bytes, checked);
      done(null, value);
    } catch (error) {
      done(error as Error);
    }
  });
}

function parse(bytes: Buffer): unknown {
  if (!isUtf8(bytes))
    throw new SpawnError('BAD_REQUEST', { where: 'body', expected: 'UTF-8 text', found: 'other bytes' });
  const text = bytes.toString();
  try {
    return JSON.parse(text);
  } catch (cause) {
    const fault = findJsonFault(text);
    if (fault === undefined) throw cause;
    const { line, column, expected, found } = fault;
    const details = {
      where: `body, line ${line}, column ${column}`,
      expected,
      found: found === '' ? 'the end' : found,
    };
    throw new SpawnError('BAD_REQUEST', { ...details, line, column });
  }
}

/** Cheap: true whenever a name could be `__proto__` or `constructor`, also spelled with escapes. */
function mayPoison(bytes: Buffer): boolean {
  return bytes.includes('"__proto__"') || bytes.includes('"constructor"') || bytes.includes('\\u');
}

function refusePoison(
  request: FastifyRequest,
  bytes: Buffer,
  checked: ReturnType<FastifyInstance['getDefaultJsonParser']>,
): void {
  checked(request, bytes.toString(), (error) => {
    if (error === null) return;
    const details = { where: 'body', expected: 'no field that changes a prototype', found: '__proto__ or constructor' };
    throw new SpawnError('BAD_REQUEST', details);
  });
}
