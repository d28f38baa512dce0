import { type Facts, optional, value } from './error-text.ts';

/** Errors about what tasks read and write: part of the table of errors. */
export const DATA_ERRORS = {
  FENCE_STALE: {
    http: 409,
    exit: 65,
    message: (d: Facts<'session' | 'fence'>) => `grant ${d.fence} of session ${d.session} is not current any more`,
  },
  /** uri: a path, pattern, URL or S3 address */
  INPUT_NOT_FOUND: {
    http: 404,
    exit: 66,
    message: (d: Facts<'uri' | 'why'>) => `input ${value(d.uri)}: ${d.why}`,
  },
  INPUT_UNREADABLE: {
    http: 400,
    exit: 66,
    message: (d: Facts<'uri' | 'why'>) => `input ${value(d.uri)} cannot be read: ${d.why}`,
  },
  /** expected, found: a size, a time or an etag in words */
  INPUT_CHANGED: {
    http: 409,
    exit: 65,
    message: (d: Facts<'uri' | 'expected' | 'found'>) =>
      `input ${value(d.uri)} has changed: expected ${d.expected}, found ${d.found}`,
  },
  /** Data that is not what its input says. where: `file:line:column`, or `file: byte 12`; found: as it is written in a message */
  BAD_INPUT: {
    http: 400,
    exit: 2,
    message: (d: Facts<'where' | 'expected' | 'found', 'more'>) =>
      `${d.where}: expected ${d.expected}, found ${d.found}${optional('; ', d.more)}`,
  },
  /** what: the blob; why */
  PLAN_DAMAGED: {
    http: 500,
    exit: 74,
    message: (d: Facts<'what' | 'why'>) => `plan ${d.what} is damaged: ${d.why}; plan again`,
  },
  /** uri: `s3://bucket/key`; what: `bucket` or `object` */
  OBJECT_NOT_FOUND: {
    http: 404,
    exit: 66,
    message: (d: Facts<'uri' | 'what'>) => `${value(d.uri)}: ${d.what} not found`,
  },
  /** uri; doing: `write`; why: in words of the server, without secrets */
  STORAGE_REFUSED: {
    http: 400,
    exit: 77,
    message: (d: Facts<'uri' | 'doing' | 'why'>) => `${value(d.uri)}: cannot ${d.doing}: ${d.why}`,
  },
  /** uri; doing; why: of the last try */
  STORAGE_UNREACHABLE: {
    http: 503,
    exit: 69,
    message: (d: Facts<'uri' | 'doing' | 'why', 'tries'>) =>
      `${value(d.uri)}: cannot ${d.doing}${optional(' after ', d.tries, ' tries')}: ${d.why}`,
  },
  /** place: `variable NAME` or `file PATH`; never the secret */
  SECRET_MISSING: {
    http: 400,
    exit: 78,
    message: (d: Facts<'where' | 'place' | 'found'>) => `${d.where}: expected a secret in ${d.place}, found ${d.found}`,
  },
};
