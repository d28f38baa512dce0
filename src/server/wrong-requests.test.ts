import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { ask, serveOn, socketPath } from '../../test/support/server-on-socket.ts';
import { exchange, spec, WRONG_REQUESTS } from '../../test/support/wrong-requests.ts';
import { MAX_BLOB_BYTES, MAX_BODY_BYTES } from '../api/limits.ts';

test('each wrong request gets its own error and reaches no use case that could do it', async () => {
  const { path, fake } = await serveOn(socketPath());
  for (const [line, body, status, code, message, headers] of WRONG_REQUESTS) {
    const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    const reply = await ask(path, line, text, headers);
    expect({ line, status: reply.status }).toEqual({ line, status });
    expect(reply.headers['content-type']).toBe('application/json; charset=utf-8');
    if (line.startsWith('HEAD')) continue;
    const { error } = JSON.parse(reply.text);
    expect({ line, code: error.code, message: error.message }).toEqual({ line, code, message });
  }
  const answered = WRONG_REQUESTS.filter(([, , status]) => status === 404 || status === 410).length;
  const reached = fake.calls.length;
  expect(reached).toBeLessThanOrEqual(answered);
  expect(fake.calls.map(([name]) => name)).not.toContain('submit');
});

test('many faults are listed, up to twenty', async () => {
  const { path } = await serveOn(socketPath());
  const env = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`V${i}`, i]));
  const reply = await ask(path, 'POST /v1/jobs', JSON.stringify({ spec: { ...spec, env }, a: 1 }));
  const { issues } = JSON.parse(reply.text).error.details;
  expect(issues).toHaveLength(20);
  expect(issues[1]).toEqual({ where: 'body.spec.env.V1', expected: 'text', found: 1 });
});

test('a fault deep in a body is shown in few words', async () => {
  const { path } = await serveOn(socketPath());
  const deep = `{"spec":{"cwd":"/","run":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`;
  const reply = await ask(path, 'POST /v1/jobs', deep);
  expect(reply.status).toBe(400);
  expect(JSON.parse(reply.text).error.message).toBe('body.spec.run: expected an object, found ["…"]');
});

test.each([
  [
    'a column',
    '/v1/sessions/7/exchange',
    `{"seq":1,"ack":0,"held":{"count":0,"sum":0},"ends":{"runs":[],"wallUs":[FILL1]}}`,
    'null,',
  ],
  ['runs', '/v1/sessions/7/exchange', `{"seq":1,"ack":0,"held":{"count":0,"sum":0},"returned":[FILL1]}`, '[],'],
  ['arguments', '/v1/jobs', '{"spec":{"cwd":"/","run":{"kind":"argv","argv":[FILL1]}}}', '1,'],
])('a million faults in %s cost little', async (_, url, body, fault) => {
  const { path, fake } = await serveOn(socketPath());
  const reply = await ask(path, `POST ${url}`, body.replace('FILL', fault.repeat(1_000_000)));
  expect(reply.status).toBe(400);
  expect(JSON.parse(reply.text).error.message).toBe('body: expected at most 100000 values, found "more"');
  expect(fake.calls).toEqual([]);
});

test('a right exchange may hold more values than any other request', async () => {
  const { path } = await serveOn(socketPath());
  const wallUs = Array.from({ length: 150_000 }, (_, i) => i);
  const body = JSON.stringify({ ...exchange, ends: { runs: [[1, 150_000]], wallUs } });
  expect((await ask(path, 'POST /v1/sessions/7/exchange', body)).status).toBe(200);
});

test.each([
  ['/v1/jobs', MAX_BODY_BYTES, 'application/json'],
  ['/v1/blobs/script', MAX_BLOB_BYTES, 'application/octet-stream'],
])('a body for %s of more than %i bytes is refused', async (url, max, type) => {
  const { path, fake } = await serveOn(socketPath());
  const reply = await ask(path, `POST ${url}`, 'x'.repeat(max + 1), { 'content-type': type });
  expect(reply.status).toBe(413);
  const { code, message } = JSON.parse(reply.text).error;
  expect([code, message]).toEqual(['BODY_TOO_LARGE', `request body: expected at most ${max} bytes`]);
  expect(fake.calls).toEqual([]);
});

test('the longest index of the contract fits in a query', async () => {
  const { path, fake } = await serveOn(socketPath());
  const index = '1,'.repeat(32_768);
  expect((await ask(path, `GET /v1/jobs/12/tasks?index=${encodeURIComponent(index)}`)).status).toBe(200);
  expect((await ask(path, `POST /v1/jobs/12_%5B${'1%2C'.repeat(10_000)}1%5D/hold`)).status).toBe(200);
  expect(fake.calls.map(([name, ref]) => [name, String(ref).length])).toEqual([
    ['tasks', 2],
    ['hold', 20_006],
  ]);
});

test.each([
  ['bytes that are not HTTP', 'hello\r\n\r\n', 'expected HTTP/1.1'],
  [
    'headers without an end',
    `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(300_000)}\r\n\r\n`,
    'expected smaller headers',
  ],
])('%s get an error reply', async (_, text, expected) => {
  const { path } = await serveOn(socketPath());
  const socket = connect(path);
  socket.write(text);
  const reply = Buffer.concat(await socket.toArray()).toString();
  expect(reply).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  const { error } = JSON.parse(reply.slice(reply.indexOf('\r\n\r\n')));
  expect(error.code).toBe('BAD_REQUEST');
  expect(error.message).toContain(expected);
});
