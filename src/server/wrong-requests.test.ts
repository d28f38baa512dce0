import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { ask, serveOn, socketPath } from '../../test/support/server-on-socket.ts';
import { MAX_BLOB_BYTES, MAX_BODY_BYTES } from '../api/limits.ts';

const run = { kind: 'argv', argv: ['true'] };
const spec = { run, cwd: '/' };
const exchange = { seq: 1, ack: 0, held: { count: 0, sum: 0 } };
const hello = {
  worker: 'w',
  host: 'h',
  pid: 1,
  bootId: 'b',
  resources: { cpus: 1, memoryBytes: 0 },
  api: 1,
  version: '1',
};

type Wrong = [
  line: string,
  body: unknown,
  status: number,
  code: string,
  message: string,
  headers?: Record<string, string>,
];

const WRONG: Wrong[] = [
  ['POST /v1/jobs', {}, 400, 'BAD_REQUEST', 'body.spec: expected an object, found nothing'],
  ['POST /v1/jobs', undefined, 400, 'BAD_REQUEST', 'body: expected an object, found null'],
  ['POST /v1/jobs', [1], 400, 'BAD_REQUEST', 'body: expected an object, found [1]'],
  ['POST /v1/jobs', { spec, extra: 1 }, 400, 'BAD_REQUEST', 'body.extra: expected no field of this name, found 1'],
  [
    'POST /v1/jobs',
    { spec: { ...spec, colour: 'red' } },
    400,
    'BAD_REQUEST',
    'body.spec.colour: expected no field of this name, found "red"',
  ],
  [
    'POST /v1/jobs',
    { spec: { cwd: '/', run: { kind: 'exe' } } },
    400,
    'BAD_REQUEST',
    'body.spec.run.kind: expected "argv", "shell" or "script", found "exe"',
  ],
  [
    'POST /v1/jobs',
    { spec: { cwd: '/', run: { kind: 'argv', argv: [] } } },
    400,
    'BAD_REQUEST',
    'body.spec.run.argv: expected at least 1 entries, found []',
  ],
  [
    'POST /v1/jobs',
    { spec: { cwd: '/', run: { kind: 'argv', argv: ['a', 5] } } },
    400,
    'BAD_REQUEST',
    'body.spec.run.argv[1]: expected text, found 5',
  ],
  [
    'POST /v1/jobs',
    { spec: { ...spec, cwd: 'here' } },
    400,
    'BAD_REQUEST',
    'body.spec.cwd: expected text that starts with "/", found "here"',
  ],
  [
    'POST /v1/jobs',
    { spec: { ...spec, cpus: 0 } },
    400,
    'BAD_REQUEST',
    'body.spec.cpus: expected more than 0, found 0',
  ],
  [
    'POST /v1/jobs',
    { spec: { ...spec, umask: 1.5 } },
    400,
    'BAD_REQUEST',
    'body.spec.umask: expected a whole number, found 1.5',
  ],
  [
    'POST /v1/jobs',
    { spec: { ...spec, retries: 1001 } },
    400,
    'BAD_REQUEST',
    'body.spec.retries: expected at most 1000, found 1001',
  ],
  [
    'POST /v1/jobs',
    { spec: { ...spec, name: 'n'.repeat(100) } },
    400,
    'BAD_REQUEST',
    `body.spec.name: expected at most 63 characters, found "${'n'.repeat(80)}…"`,
  ],
  [
    'POST /v1/jobs',
    { spec: { ...spec, name: 'a\0b' } },
    400,
    'BAD_REQUEST',
    'body.spec.name: expected text that does not hold a NUL byte, found "a\\u0000b"',
  ],
  [
    'POST /v1/jobs',
    { spec: { ...spec, env: { A: 3 } } },
    400,
    'BAD_REQUEST',
    'body.spec.env.A: expected text, found 3',
  ],
  [
    'POST /v1/jobs',
    { spec: { ...spec, env: { '\u001b[31m': 3 } } },
    400,
    'BAD_REQUEST',
    'body.spec.env["\\u001b[31m"]: expected text, found 3',
  ],
  [
    'POST /v1/jobs',
    { spec: { ...spec, envSnapshot: 'zz' } },
    400,
    'BAD_REQUEST',
    'body.spec.envSnapshot: expected a SHA-256 in hex, found "zz"',
  ],
  [
    'POST /v1/jobs',
    { spec: { ...spec, hold: 'yes' } },
    400,
    'BAD_REQUEST',
    'body.spec.hold: expected true or false, found "yes"',
  ],
  [
    'POST /v1/jobs',
    { spec, idempotencyKey: 'a' },
    400,
    'BAD_REQUEST',
    'header idempotency-key: expected the same as body.idempotencyKey, found "b"',
    { 'idempotency-key': 'b' },
  ],
  [
    'POST /v1/jobs',
    { spec },
    400,
    'BAD_REQUEST',
    `headers.idempotency-key: expected at most 200 characters, found "${'k'.repeat(80)}…"`,
    { 'idempotency-key': 'k'.repeat(201) },
  ],
  ['POST /v1/jobs', '{"spec": abc}', 400, 'BAD_REQUEST', 'body, line 1, column 10: expected a value, found "abc}"'],
  [
    'POST /v1/jobs',
    '{\n  "spec": {},\n}',
    400,
    'BAD_REQUEST',
    'body, line 3, column 1: expected a name in double quotes, found "}"',
  ],
  ['POST /v1/jobs', '', 400, 'BAD_REQUEST', 'body, line 1, column 1: expected a value, found "the end"'],
  [
    'POST /v1/jobs',
    Buffer.from([0x22, 0xff, 0x22]),
    400,
    'BAD_REQUEST',
    'body: expected UTF-8 text, found "other bytes"',
  ],
  [
    'POST /v1/jobs',
    '{"spec":{"env":{"__proto__":{"x":1}}}}',
    400,
    'BAD_REQUEST',
    'body: expected no field that changes a prototype, found "__proto__ or constructor"',
  ],
  [
    'POST /v1/jobs',
    '{"\\u005f_proto__":{"x":1}}',
    400,
    'BAD_REQUEST',
    'body: expected no field that changes a prototype, found "__proto__ or constructor"',
  ],
  [
    'POST /v1/jobs',
    '{"spec":{"constructor":{"prototype":{}}}}',
    400,
    'BAD_REQUEST',
    'body: expected no field that changes a prototype, found "__proto__ or constructor"',
  ],
  [
    'POST /v1/jobs',
    'a=1',
    415,
    'MEDIA_TYPE',
    'header content-type: expected application/json, found "application/x-www-form-urlencoded"',
    { 'content-type': 'application/x-www-form-urlencoded' },
  ],
  [
    'POST /v1/blobs/script',
    '{}',
    415,
    'MEDIA_TYPE',
    'header content-type: expected application/octet-stream, found "application/json"',
  ],
  [
    'POST /v1/blobs/picture',
    'x',
    400,
    'BAD_REQUEST',
    'path.kind: expected "script" or "env", found "picture"',
    { 'content-type': 'application/octet-stream' },
  ],
  ['GET /v1/blobs/abc', undefined, 400, 'BAD_REQUEST', 'path.hash: expected a SHA-256 in hex, found "abc"'],
  ['GET /v1/jobs?limit=abc', undefined, 400, 'BAD_REQUEST', 'query.limit: expected a number, found "abc"'],
  ['GET /v1/jobs?limit=0', undefined, 400, 'BAD_REQUEST', 'query.limit: expected at least 1, found "0"'],
  ['GET /v1/jobs?show=some', undefined, 400, 'BAD_REQUEST', 'query.show: expected "live" or "all", found "some"'],
  ['GET /v1/jobs?name=a&name=b', undefined, 400, 'BAD_REQUEST', 'query.name: expected text, found ["a","b"]'],
  ['GET /v1/jobs?x=1', undefined, 400, 'BAD_REQUEST', 'query.x: expected no field of this name, found "1"'],
  ['GET /v1/jobs/%zz', undefined, 400, 'BAD_REQUEST', 'path: expected a valid path, found "/v1/jobs/%zz"'],
  ['GET /v1/jobs/99', undefined, 404, 'JOB_NOT_FOUND', 'job "99" not found'],
  ['GET /v1/jobs/99/watch', undefined, 404, 'JOB_NOT_FOUND', 'job "99" not found'],
  ['GET /v1/jobs/99/logs', undefined, 404, 'JOB_NOT_FOUND', 'job "99" not found'],
  ['GET /v1/jobs/12/logs?follow=2', undefined, 400, 'BAD_REQUEST', 'query.follow: expected "0" or "1", found "2"'],
  ['PATCH /v1/jobs/12', { throttle: -1 }, 400, 'BAD_REQUEST', 'body.throttle: expected at least 0, found -1'],
  ['POST /v1/jobs/12/cancel', { index: 5 }, 400, 'BAD_REQUEST', 'body.index: expected text, found 5'],
  [
    'GET /v1/jobs/12/tasks?after=1.5',
    undefined,
    400,
    'BAD_REQUEST',
    'query.after: expected a whole number, found "1.5"',
  ],
  ['GET /v1/nothing', undefined, 404, 'ROUTE_NOT_FOUND', 'GET "/v1/nothing": the API has no such route'],
  ['DELETE /v1/jobs/12', undefined, 404, 'ROUTE_NOT_FOUND', 'DELETE "/v1/jobs/12": the API has no such route'],
  ['HEAD /v1/jobs/12/watch', undefined, 404, 'ROUTE_NOT_FOUND', ''],
  ['POST /v1/sessions', { ...hello, pid: 'x' }, 400, 'BAD_REQUEST', 'body.pid: expected a number, found "x"'],
  [
    'POST /v1/sessions',
    { ...hello, resources: { cpus: 1 } },
    400,
    'BAD_REQUEST',
    'body.resources.memoryBytes: expected a number, found nothing',
  ],
  ['POST /v1/sessions/x/exchange', exchange, 400, 'BAD_REQUEST', 'path.id: expected a number, found "x"'],
  [
    'POST /v1/sessions/7/exchange',
    { ...exchange, seq: 0 },
    400,
    'BAD_REQUEST',
    'body.seq: expected at least 1, found 0',
  ],
  [
    'POST /v1/sessions/7/exchange',
    { ...exchange, ends: { runs: [[1, 1]], wallUs: [1, 'x'] } },
    400,
    'BAD_REQUEST',
    'body.ends.wallUs[1]: expected a number, found "x"',
  ],
  [
    'POST /v1/sessions/7/exchange',
    { ...exchange, ends: { runs: [[1]] } },
    400,
    'BAD_REQUEST',
    'body.ends.runs[0]: expected at least 2 entries, found [1]',
  ],
  [
    'POST /v1/sessions/7/exchange',
    '{"seq":1,"ack":0,"held":{"count":0,"sum":1e999}}',
    400,
    'BAD_REQUEST',
    'body.held.sum: expected a number, found "Infinity"',
  ],
  ['POST /v1/sessions/8/exchange', exchange, 410, 'SESSION_UNKNOWN', 'worker session 8 is not known; say hello again'],
  ['GET /v1/sessions/8/stream', undefined, 410, 'SESSION_UNKNOWN', 'worker session 8 is not known; say hello again'],
  ['GET /v1/sessions/7/stream?after=-1', undefined, 400, 'BAD_REQUEST', 'query.after: expected at least 0, found "-1"'],
];

test('each wrong request gets its own error and reaches no use case that could do it', async () => {
  const { path, fake } = await serveOn(socketPath());
  for (const [line, body, status, code, message, headers] of WRONG) {
    const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    const reply = await ask(path, line, text, headers);
    expect({ line, status: reply.status }).toEqual({ line, status });
    expect(reply.headers['content-type']).toBe('application/json; charset=utf-8');
    if (line.startsWith('HEAD')) continue;
    const { error } = JSON.parse(reply.text);
    expect({ line, code: error.code, message: error.message }).toEqual({ line, code, message });
  }
  const answered = WRONG.filter(([, , status]) => status === 404 || status === 410).length;
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
  const deep = `{"spec":{"cwd":"/","run":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`;
  const reply = await ask(path, 'POST /v1/jobs', deep);
  expect(reply.status).toBe(400);
  expect(JSON.parse(reply.text).error.message).toBe('body.spec.run: expected an object, found ["…"]');
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
