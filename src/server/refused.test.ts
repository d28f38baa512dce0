import { expect, onTestFinished, test } from 'vitest';
import { LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { ask, socketPath } from '../../test/support/server-on-socket.ts';
import { readWrongRequests } from '../../test/support/wrong-request-lines.ts';
import { ERRORS } from '../core/error-table.ts';
import type { ErrorCode } from '../core/errors.ts';
import { createServer } from './server.ts';

/** A real coordinator that has jobs of two kinds, two of one name, and a worker. */
async function serveReal(): Promise<string> {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at);
  await at.submit({ name: 'sim', array: '0-4' });
  await at.submit({ name: 'done' });
  await at.submit({ name: 'twin', hold: true });
  await at.submit({ name: 'twin', hold: true });
  await worker.start(1, 0, 1);
  await worker.end(1, [0]);
  const server = await createServer(at.coordinator, { version: '1', onStop: () => {} });
  const path = socketPath();
  await server.listenUnix(path);
  onTestFinished(() => server.close());
  return path;
}

async function everything(path: string): Promise<string[]> {
  const urls = ['/v1/jobs?show=all', '/v1/jobs/1/tasks', '/v1/events', '/v1/tokens?all=1', '/v1/server'];
  return Promise.all(urls.map(async (url) => (await ask(path, `GET ${url}`)).text));
}

test('each wrong request gets its error, and none changes anything', async () => {
  const path = await serveReal();
  const before = await everything(path);
  const requests = readWrongRequests();
  expect(requests.length).toBeGreaterThan(150);
  for (const { line, contentType, body, ...expected } of requests) {
    const type = contentType === undefined ? {} : { 'content-type': contentType };
    const reply = await ask(path, line, body, type);
    const { error } = JSON.parse(reply.text);
    const found = { status: reply.status, code: error.code, message: error.message };
    expect({ line, body, ...found }).toEqual({ line, body, ...expected });
    const { http, exit } = ERRORS[error.code as ErrorCode];
    // What a command would end with: 2 for what was wrong in the request, else a code of its own.
    expect([http, exit === 2 || (exit >= 64 && exit <= 78)], line).toEqual([reply.status, true]);
  }
  expect(await everything(path)).toEqual(before);
});

test('of a name that is given twice the last value counts', async () => {
  const path = await serveReal();
  const body = '{"spec":{"cwd":"/","cwd":"/tmp","run":{"kind":"argv","argv":["true"]}}}';
  const { job } = JSON.parse((await ask(path, 'POST /v1/jobs', body)).text);
  expect(job.cwd).toBe('/tmp');
});
