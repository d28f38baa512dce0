import { expect, test } from 'vitest';
import { SpawnError } from '../core/errors.ts';
import { delayMs, pause, type RetryRules, withRetry } from './retry.ts';
import { TransportFailure } from './transport.ts';

const rules: RetryRules = { address: '/s', retryForMs: 60_000, repeatable: true };
const unsent = new TransportFailure('unsent', 'nobody listens there');
const broken = new TransportFailure('broken', 'the connection broke');
const stopping = new SpawnError('SERVER_STOPPING');

/** Fails with each error in turn, then gives the number of calls. */
function failing(...errors: Error[]): { calls: () => number; attempt: () => Promise<number> } {
  let calls = 0;
  return {
    calls: () => calls,
    attempt: async () => {
      const error = errors[calls++];
      if (error !== undefined) throw error;
      return calls;
    },
  };
}

test('a repeatable call is tried again after a refused or broken link and a 503', async () => {
  expect(await withRetry(rules, failing(unsent, broken, stopping).attempt)).toBe(4);
});

test('any call is tried again when it was not sent or the server was stopping', async () => {
  expect(await withRetry({ ...rules, repeatable: false }, failing(unsent, stopping).attempt)).toBe(3);
});

test('a call that may not be sent twice fails when the link breaks, and says that it may have been carried out', async () => {
  const { attempt, calls } = failing(broken);
  await expect(withRetry({ ...rules, repeatable: false }, attempt)).rejects.toMatchObject({
    code: 'SERVER_UNREACHABLE',
    message: 'server /s cannot be reached: the connection broke; whether the request was carried out is not known',
  });
  expect(calls()).toBe(1);
});

test('other errors are not tried again', async () => {
  const error = new SpawnError('JOB_NOT_FOUND', { ref: '1' });
  await expect(withRetry(rules, failing(error).attempt)).rejects.toBe(error);
  const bug = new TypeError('x');
  await expect(withRetry(rules, failing(bug).attempt)).rejects.toBe(bug);
});

test('after the time is over the last error comes out, with the address', async () => {
  const always = failing(...Array<Error>(100).fill(unsent));
  await expect(withRetry({ ...rules, retryForMs: 60 }, always.attempt)).rejects.toMatchObject({
    code: 'SERVER_UNREACHABLE',
    message: 'server /s cannot be reached: nobody listens there',
  });
  expect(always.calls()).toBeGreaterThan(1);
  await expect(withRetry({ ...rules, retryForMs: 0 }, failing(stopping).attempt)).rejects.toBe(stopping);
});

test('who starts a server is called once, before the first repetition, also with no time to retry', async () => {
  let started = 0;
  const onUnreachable = async () => {
    started++;
  };
  expect(await withRetry({ ...rules, retryForMs: 0, onUnreachable }, failing(unsent).attempt)).toBe(2);
  expect(await withRetry({ ...rules, onUnreachable }, failing(unsent, unsent, unsent).attempt)).toBe(4);
  expect(started).toBe(2);
  expect(await withRetry({ ...rules, onUnreachable }, failing(broken).attempt)).toBe(2);
  expect(started).toBe(2);
});

test('a server that cannot be started ends the call with the reason', async () => {
  const reason = new SpawnError('STORE_NEWER', { path: 'store.db', expected: 1, found: 2 });
  const onUnreachable = () => Promise.reject(reason);
  await expect(withRetry({ ...rules, onUnreachable }, failing(unsent).attempt)).rejects.toBe(reason);
});

test('delays grow from 20 ms to 1 s, cut by a random half at most', () => {
  for (let i = 0; i < 200; i++) {
    expect(delayMs(0)).toBeGreaterThanOrEqual(10);
    expect(delayMs(0)).toBeLessThanOrEqual(20);
    expect(delayMs(3)).toBeGreaterThanOrEqual(80);
    expect(delayMs(3)).toBeLessThanOrEqual(160);
    expect(delayMs(50)).toBeLessThanOrEqual(1_000);
  }
});

test('a signal ends the wait with its reason', async () => {
  const abort = new AbortController();
  const waiting = pause(1_000_000, abort.signal);
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(pause(1_000_000, abort.signal)).rejects.toThrow('enough');
});
