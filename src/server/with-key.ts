import { SpawnError } from '../core/errors.ts';

/** The body with the idempotency key of the header, which is another place for it. Errors: BAD_REQUEST when both are given and differ. */
export function withKey<Body extends { idempotencyKey?: string | undefined }>(
  body: Body,
  headerKey: string | undefined,
): Body {
  if (headerKey === undefined) return body;
  if (body.idempotencyKey !== undefined && body.idempotencyKey !== headerKey) {
    throw new SpawnError('BAD_REQUEST', {
      where: 'header idempotency-key',
      expected: 'the same as body.idempotencyKey',
      found: headerKey,
    });
  }
  return { ...body, idempotencyKey: headerKey };
}
