import { describe, expect, it, vi } from 'vitest';
import { ERRORS } from './error-table.ts';
import { type ErrorCode, type ErrorDetails, fromJSON, isSpawnError, SpawnError } from './errors.ts';

const CODES = Object.keys(ERRORS) as ErrorCode[];

/** Details that have a value for whatever a message asks for. */
const ANY_DETAILS: ErrorDetails = new Proxy({}, { get: (_, key) => (key === 'at' ? 0 : `<${String(key)}>`) });

function messageOf(code: ErrorCode, details: ErrorDetails): string {
  return (ERRORS[code].message as (d: ErrorDetails) => string)(details);
}

describe('the error table', () => {
  it.each(CODES)('%s has a status, an exit code and messages', (code) => {
    const { http, exit } = ERRORS[code];
    expect(http).toBeGreaterThanOrEqual(400);
    expect(http).toBeLessThan(600);
    expect(exit === 2 || (exit >= 64 && exit <= 78)).toBe(true);
    expect(messageOf(code, ANY_DETAILS)).not.toContain('undefined');
    expect(messageOf(code, {})).not.toBe('');
  });

  it.each(CODES.filter((code) => code.startsWith('BAD_')))('%s is bad input', (code) => {
    expect([ERRORS[code].http, ERRORS[code].exit]).toEqual([400, 2]);
  });

  const MESSAGES: [ErrorCode, ErrorDetails, string][] = [
    [
      'BAD_REQUEST',
      { where: 'job.yaml:3:8 retries', expected: 'a whole number from 0', found: 'many' },
      'job.yaml:3:8 retries: expected a whole number from 0, found "many"',
    ],
    ['BAD_REQUEST', { where: '--cpus', expected: 'a number' }, '--cpus: expected a number, found nothing'],
    ['BAD_NAME', { name: '12', expected: 'a letter first' }, 'name "12": expected a letter first'],
    [
      'BAD_NAME',
      { where: '--name', name: '12', expected: 'a letter first' },
      '--name: name "12": expected a letter first',
    ],
    ['ARRAY_TOO_LARGE', { size: 2_000_000, max: 1_000_000 }, 'array of 2000000 tasks: expected at most 1000000'],
    ['JOB_NOT_FOUND', { ref: '12' }, 'job "12" not found'],
    ['INSTANCE_NOT_FOUND', { ref: 'fit-3' }, 'instance "fit-3" not found'],
    ['INSTANCE_NOT_FOUND', { ref: '--tag a=b\u009b' }, 'no instance fits --tag a=b·'],
    ['LOG_NOT_FOUND', { ref: '12_7' }, 'log of "12_7" not found'],
    ['LOG_NOT_FOUND', { ref: '12_7', why: 'it has not started' }, 'log of "12_7" not found: it has not started'],
    [
      'AMBIGUOUS_NAME',
      { name: 'train', candidates: [12, 15] },
      'name "train": expected exactly one live job, found 12, 15; use the id',
    ],
    [
      'AMBIGUOUS_NAME',
      { name: 'train', candidates: [] },
      'name "train": expected exactly one live job, found none; use the id',
    ],
    ['DEPENDENCY_CYCLE', { jobs: [3, 4, 3] }, 'dependency: expected no cycle, found 3 -> 4 -> 3'],
    ['DEPENDENCY_UNKNOWN_JOB', { ref: 99 }, 'dependency: expected an existing job, found 99'],
    ['UNAUTHENTICATED', {}, 'not authenticated: expected a valid token'],
    ['UNAUTHENTICATED', { why: 'the token has expired' }, 'not authenticated: the token has expired'],
    ['STORE_LOCKED', { host: 'login1', pid: 71 }, 'store is in use by process 71 on login1'],
    ['RATE_LIMITED', { retryAfterMs: 250 }, 'too many requests; retry after 250 ms'],
    ['INTERNAL', {}, 'internal error: unknown'],
    ['INTERNAL', { why: 'x' }, 'internal error: x'],
  ];
  it.each(MESSAGES)('%s %j', (code, details, message) => {
    expect(messageOf(code, details)).toBe(message);
  });
});

describe('a caret message', () => {
  function lines(text: string, at: number): string[] {
    return messageOf('BAD_INDEX_SET', { text, at, expected: 'an index' }).split('\n');
  }

  it('puts the caret under the place and tells the word there', () => {
    expect(lines('1-3,abc', 4)).toEqual([
      'index set, column 5: expected an index, found "abc"',
      '  1-3,abc',
      '      ^',
    ]);
    expect(lines('1-', 2)).toEqual(['index set, column 3: expected an index, found the end', '  1-', '    ^']);
    expect(lines('1-3,-2', 4)[0]).toBe('index set, column 5: expected an index, found "-"');
  });

  it('begins with where the text came from', () => {
    const message = messageOf('BAD_DURATION', { where: '--time', text: '5', at: 1, expected: 'a unit' });
    expect(message).toBe('--time: duration, column 2: expected a unit, found the end\n  5\n   ^');
  });

  it('cuts a long text around the place', () => {
    const text = `${'1,'.repeat(100)}x${',2'.repeat(100)}`;
    const [, shown, caret] = lines(text, 200);
    expect(shown).toBe(`  …${'1,'.repeat(15)}x${',2'.repeat(14)},…`);
    expect(shown!.charAt(caret!.indexOf('^'))).toBe('x');
  });

  it('shows control and direction characters as dots, one each', () => {
    expect(lines('1\u001b[2J\u202ex', 1)).toEqual([
      'index set, column 2: expected an index, found "\\u001b"',
      '  1·[2J·x',
      '   ^',
    ]);
    expect(messageOf('JOB_NOT_FOUND', { ref: 'a\u202eb\u009bc' })).toBe('job "a·b·c" not found');
  });

  it('cuts a long value', () => {
    expect(messageOf('JOB_NOT_FOUND', { ref: 'x'.repeat(1000) }).length).toBeLessThan(250);
  });
});

describe('SpawnError', () => {
  it('carries what the table says', () => {
    const error = new SpawnError('JOB_NOT_FOUND', { ref: '12' }, { cause: 'why' });
    expect(error).toBeInstanceOf(Error);
    expect([error.name, error.code, error.http, error.exitCode]).toEqual(['SpawnError', 'JOB_NOT_FOUND', 404, 66]);
    expect(error.details).toEqual({ ref: '12' });
    expect(error.cause).toBe('why');
    expect(new SpawnError('SERVER_STOPPING').details).toEqual({});
  });

  it('can tell more', () => {
    const error = new SpawnError('BAD_DURATION', { text: '5', at: 1, expected: 'a unit' });
    const located = error.with({ where: '--time' });
    expect(located.message).toBe(`--time: ${error.message}`);
    expect(located.details).toEqual({ ...error.details, where: '--time' });
    expect(located.cause).toBe(error);
  });

  it('asks for the details that its message needs', () => {
    // @ts-expect-error A message without them would say "undefined".
    expect(new SpawnError('JOB_NOT_FOUND', { job: 12 }).message).toBe('job nothing not found');
    expect(new SpawnError('JOB_NOT_FOUND', { ref: 12, tenant: 'a' }).message).toBe('job 12 not found');
  });

  it('travels as JSON and is the same afterwards', () => {
    const error = new SpawnError('BAD_REQUEST', { where: 'name', expected: 'text', found: 3 });
    const again = fromJSON(JSON.parse(JSON.stringify(error)));
    expect(again).toBeInstanceOf(SpawnError);
    expect(again.toJSON()).toEqual(error.toJSON());
  });

  it('keeps the message of another release, and of a code it does not know', () => {
    const other = fromJSON({ code: 'JOB_NOT_FOUND', message: 'no such job: 12', details: { ref: '12' } });
    expect([other.code, other.message]).toEqual(['JOB_NOT_FOUND', 'no such job: 12']);
    const newer = fromJSON({ code: 'QUOTA_EXCEEDED', message: 'quota of 5 exceeded', details: { max: 5 } });
    expect(newer.toJSON()).toEqual({
      code: 'INTERNAL',
      message: 'quota of 5 exceeded',
      details: { max: 5, code: 'QUOTA_EXCEEDED' },
    });
    expect(fromJSON({ code: 'toString', message: 'm', details: {} }).code).toBe('INTERNAL');
  });

  it('is recognised when it comes from another copy of the module', async () => {
    vi.resetModules();
    const copy = await import('./errors.ts');
    const error = new copy.SpawnError('USAGE', { message: 'm' });
    expect(error).not.toBeInstanceOf(SpawnError);
    expect(isSpawnError(error)).toBe(true);
  });

  it.each([undefined, null, 'USAGE', new Error('x'), { code: 'USAGE' }])('is not %s', (x) => {
    expect(isSpawnError(x)).toBe(false);
  });
});
